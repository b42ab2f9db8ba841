// What the desk says to gates: answers to guards' calls, and notices.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, startAtDesk } from "./start.mjs";
import { openPage, sizes, until } from "./world.mjs";

let at, demo, kiosk, page;

before(async () => {
  at = await startAtDesk({
    before: async (demo, browser) => {
      kiosk = await openPage(browser, sizes.kiosk, demo.kiosk);
    },
  });
  ({ demo, page } = at);
  await page.getByRole("link", { name: "告警", exact: true }).click();
});
after(() => at?.stop());

const call = () => page.locator(".alerts li", { hasText: "门岗求助" });
const saying = (words) => until(words, async () => words.test((await call().textContent()) ?? ""));

test("a guard's call is answered at the desk, and the guard sees it", async () => {
  await demo.poke(demo.gate, "fever");
  await kiosk.waitForSelector("body.fever");
  await kiosk.waitForSelector("#buttons button:not([disabled])");
  await kiosk.keyboard.press("F2"); // the doctor
  await call().waitFor();
  await saying(/请求医生，.*还没人看/);
  assert.match(await call().getAttribute("class"), /red/);
  await inspect(page, "call-asked");

  await call().getByLabel("几分钟到").fill("10");
  await call().getByRole("button", { name: "在路上" }).click();
  await saying(/li 于 [\d:]+ 答复：医生在路上，10 分钟/);
  assert.match(await call().getAttribute("class"), /amber/);
  await until("the answer at the gate", async () => /10 分钟/.test(await kiosk.textContent("#order")));
  await inspect(page, "call-answered");
});

test("an answer that makes no sense is refused in words", async () => {
  await call().getByRole("button", { name: "来不了，打此电话" }).click();
  await saying(/内容无效/);
  page.problems = page.problems.filter((p) => !/status of 400/.test(p)); // the browser's own line about it
  await call().getByLabel("电话").fill("120");
  await call().getByRole("button", { name: "来不了，打此电话" }).click();
  await saying(/医生来不了/);
});

test("a call that has ended says how", async () => {
  await kiosk.locator("#buttons button:not([disabled])", { hasText: "医生已到" }).click();
  const row = page.locator("tbody tr", { hasText: "门岗求助" });
  await until("how it has ended", async () => /门岗：人已到/.test((await row.textContent()) ?? ""));
  assert.doesNotMatch(await row.textContent(), /请求医生/);
});

test("a notice is at the gates it is for until somebody ends it", async () => {
  await page.getByRole("link", { name: "通知" }).click();
  await until("the page", async () => /没有生效中的通知/.test(await page.textContent("main")));
  await inspect(page, "notices-none");
  await page.getByLabel("中文内容").fill("今晚 22 时起本小区封闭");
  await page.getByLabel("英文内容").fill("The compound is sealed from 22:00");
  await page.getByLabel("范围").selectOption({ value: `g:${demo.gate}` });
  await page.getByRole("button", { name: "发布" }).click();
  const row = page.locator("tbody tr", { hasText: "今晚 22 时起" });
  await row.waitFor();
  assert.match(await row.textContent(), new RegExp(`sealed from 22:00.*${demo.gate}.*li`));
  await inspect(page, "notices");
  await until("the notice at the gate", async () => {
    const later = await kiosk.$("body.ready #buttons button:last-child:not([disabled])"); // who had the fever waits
    await later?.click();
    return /今晚 22 时起/.test(await kiosk.textContent("body"));
  });

  await page.getByLabel("中文内容").fill("四月见");
  await page.getByLabel("截止时间").fill("2031-04-01T08:00");
  await page.getByRole("button", { name: "发布" }).click();
  await until("the refusal", async () => /截止时间须在 30 天以内/.test(await page.textContent("form.notice")));

  await row.getByRole("button", { name: "结束通知" }).click();
  await until("its end", async () => (await row.count()) === 0);
  await until("its end at the gate", async () => !/今晚 22 时起/.test(await kiosk.textContent("body")));
});

test("the page does not say that its files are missing", async () =>
  assert.equal(await page.locator(".unloaded").count(), 0));

test("no page has failed", () => assert.deepEqual([...page.problems, ...kiosk.problems], []));
