// What stands around the picture of the guard's screen, and what the page does by itself; the agent is played.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPlayed } from "./played.mjs";
import { gate, kioskStates, lamps, noon } from "./states.mjs";
import { sizes, startBrowser, until } from "./world.mjs";

const states = Object.fromEntries(kioskStates().map((s) => [s.name, s.state]));
const opened = (name, at = noon) => openPlayed(browser, "kiosk", sizes.kiosk, "zh", states[name], at);
const classes = async (page) => (await page.getAttribute("body", "class")).split(" ");
const seen = (page, look) => until(look, async () => (await classes(page)).includes(look));

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

test("at night an idle screen is dimmed, a verdict is not", async () => {
  const page = await opened("idle", noon + 9 * 3600_000); // 23:30 in Shanghai
  await seen(page, "night");
  page.put(states.pass);
  await seen(page, "pass");
  assert.ok(!(await classes(page)).includes("night"));
  await page.context().close();
});

test("a page without its agent says what to do, whom to call and since when", async () => {
  const page = await opened("pass");
  await seen(page, "pass");
  await seen(page, "cut");
  assert.match(await page.textContent("#note"), /额温枪，在纸上登记/);
  assert.match(await page.textContent("#order"), /电话县中心 0000 000 1100/);
  assert.match(await page.textContent("#line"), /断开于 \d\d:\d\d:\d\d/);
  page.put({ ...states.pass, gate: { ...gate, contacts: [] } });
  await seen(page, "pass");
  await seen(page, "cut");
  assert.match(await page.textContent("#order"), /县中心值班室/);
  await page.context().close();
});

test("a gate out of service says that it is done only when its agent has said so", async () => {
  const done = await opened("retired-done");
  await seen(done, "retired");
  const page = await opened("retired-answering");
  await seen(page, "retired");
  assert.match(await page.textContent("#note"), /正等县里收下回执/);
  await until("the silence to be said", async () => /不知是否已销毁/.test(await page.textContent("#note")));
  assert.match(await done.textContent("#note"), /数据与密钥已销毁/);
  await page.context().close();
  await done.context().close();
});

test("a broken thermometer's button tells the agent, and opens the pad for nobody", async () => {
  const page = await opened("fault-thermometer");
  await page.waitForSelector("#buttons button:not([disabled])");
  await page.keyboard.press("F1");
  await until("the answer", () => page.posts.length > 0);
  assert.deepEqual(page.posts, [["/press", { id: "fault", action: "by-hand" }]]);
  page.put(states["idle-standing"]);
  await seen(page, "padded");
  assert.match(await page.textContent("#padwho"), /先输入，再刷卡/);
  for (const key of ["3", "6", "5"]) await page.keyboard.press(key);
  await page.click('.choice button:has-text("额温枪")');
  await page.keyboard.press("F1");
  await until("the value", () => page.posts.length > 1);
  assert.deepEqual(page.posts[1], ["/entry", { id: "", lane: "", value: "36.5", with: "forehead" }]);
  await page.context().close();
});

test("who missed something in the shift's test says so", async () => {
  const page = await opened("idle");
  const alive = setInterval(() => page.put(states.idle), 1000); // else the page is cut off
  try {
    await seen(page, "idle");
    await page.keyboard.press("F1");
    await seen(page, "test-pass");
    await seen(page, "test-ask");
    await page.keyboard.press("F2");
    await seen(page, "idle");
    assert.deepEqual(
      page.posts.map(([, body]) => body.action),
      ["shift-test", "shift-test-failed"],
    );
  } finally {
    clearInterval(alive);
  }
  await page.context().close();
});

test("the queue marks what is shown, and counts what it leaves out", async () => {
  const page = await opened("fever-first-of-nine");
  await seen(page, "fever");
  const rows = await page.$$eval("#queue li", (list) => list.map((e) => `${e.className}|${e.textContent}`));
  assert.deepEqual(
    rows.map((r) => r.replace(/\d\d:\d\d/, "")),
    ["shown|38.4 °C", "|卡未登记", "|37.6 °C", "|读卡器故障", "more|还有 5 条"],
  );
  assert.match(await page.textContent("#line"), /第 1 \/ 9 条/);
  page.put({ ...states["idle-standing"], lamps: { ...lamps, county: false, pending: 12 } });
  await until("what waits", async () => /12 条待上传/.test(await page.textContent("#standing")));
  await page.context().close();
});
