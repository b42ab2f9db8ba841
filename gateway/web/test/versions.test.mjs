// Gates are upgraded from the desk in waves: chosen, begun with the password, stopped by a gate that went back.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, manage, startAtDesk, sure } from "./start.mjs";
import { accessible, laidOut, shot } from "./look.mjs";
import { until } from "./world.mjs";

let at, page;
const asked = [];
/** What the desk says instead of what it knows: the demo's gates are not installed as packages. */
let said = {};

before(async () => {
  at = await startAtDesk({ gates: 6 });
  page = at.page;
  await page.route("**/api/versions", async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), ...said };
    await route.fulfill({ response, json });
  });
  await page.route("**/api/versions/*", async (route) => {
    asked.push([new URL(route.request().url()).pathname, route.request().postDataJSON()]);
    await route.fulfill({ status: 204 });
  });
});
after(() => at?.stop());

const button = (name) => page.getByRole("button", { name });
const now = () => new Date().toISOString();
const never = "0001-01-01T00:00:00Z";
const widths = [1366, 1180];
const offered = [
  { version: "1.4.0", architectures: ["amd64", "arm64"], packages: ["gatehouse", "gatehouse-kiosk"] },
  { version: "1.3.0", architectures: ["amd64", "arm64"], packages: ["gatehouse", "gatehouse-kiosk"] },
];
const fingerprint = "8D1C 2F0A 77B3 9E54 1C06 D2AF 4B8E 90A1 33C7 5F12";
const gates = (list) =>
  list.map(([agent, has, more = {}]) => ({
    agent,
    program: has,
    online: true,
    heard: now(),
    upgrade: has && { package: has, ...more },
  }));
const ids = () => at.demo.ids;

test("the menu fits the page, and is shut by a click elsewhere", async () => {
  for (const lang of ["zh", "en"]) {
    if (lang === "en") await page.click(".lang");
    for (const width of [1180, 1366]) {
      await page.setViewportSize({ width, height: 800 });
      await laidOut(page);
      const [top, tops] = await page.evaluate(() => [
        document.querySelector(".top").offsetHeight,
        [...document.querySelectorAll(".top nav > *")].map((e) => e.getBoundingClientRect().top),
      ]);
      assert.ok(Math.max(...tops) - Math.min(...tops) < 12, `${lang} ${width}: the menu has two lines, ${tops}`);
      assert.ok(top < 60, `${lang} ${width}: the head is ${top} px high`);
      await shot(page, `desk-nav-${lang}-${width}`);
    }
  }
  await page.click('nav a[href="/account"]'); // the tiles of the overview are too small to lie under a menu
  for (const lang of ["en", "zh"]) {
    if (lang === "zh") await page.click(".lang");
    await page.setViewportSize({ width: 1180, height: 800 });
    await page.click(".menu summary");
    await page.locator('.menu a[href="/users"]').waitFor({ state: "visible" });
    await shot(page, `desk-menu-${lang}-1180`);
    await accessible(page, `the menu in ${lang}`);
  }
  await page.click("h1");
  assert.ok(!(await page.locator('.menu a[href="/users"]').isVisible()));
  await page.click(".menu summary");
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator('.menu a[href="/users"]').isVisible()));
});

test("what the demo's gates run, and that they can't be upgraded from here", async () => {
  await manage(page, "版本");
  await page.getByText("县里没有存放安装包").waitFor();
  const rows = page.locator("#plan tbody tr");
  await until("all gates", async () => (await rows.count()) >= 6);
  await until("what they say", async () => /不是用安装包装的/.test(await page.textContent("#plan tbody")));
  assert.equal(await page.locator("#plan input:enabled").count(), 0);
  const names = await page.locator("#plan tbody tr td:nth-child(2)").allTextContents();
  at.demo.ids = names.flatMap((t) => t.split(" · ").slice(1, 2));
  await inspect(page, "versions-none", widths);
});

test("waves are chosen and begun with the password", async () => {
  const [a, b, c, d, e, f] = ids();
  said = {
    serves: true,
    offered,
    fingerprint,
    gates: [
      ...gates([
        [a, "1.3.0"],
        [b, "1.3.0"],
        [c, "1.3.0", { lacks: "no-key" }],
        [d, "1.4.0", { to: "1.4.0", state: "done" }],
        [e, "1.3.0", { to: "1.4.0", state: "back", why: "within 2m0s the new version did not come up" }],
      ]),
      { agent: f, online: false },
    ],
  };
  await page.getByText(fingerprint).waitFor();
  assert.match(await page.textContent("#plan tbody"), /不知道/);
  await page.getByLabel(`选 ${a}`).check();
  await button("作为第 1 批（1 个门岗）").click();
  await button(/选其余全部/).click();
  await button("作为第 2 批（4 个门岗）").click();
  const begin = button("开始升级到 1.4.0");
  assert.ok(await begin.isDisabled(), "without a reason");
  await page.fill("#plan [name=reason]", "修复读卡器");
  await inspect(page, "versions-planned", widths);
  await begin.click();
  assert.match(await page.textContent("dialog[open]"), /把 5 个门岗升级到 1\.4\.0，分 2 批/);
  await shot(page, "desk-versions-sure-zh-1366");
  await sure(page);
  await until("the request", () => asked.length === 1);
  const [path, body] = asked[0];
  assert.equal(path, "/api/versions/begin");
  assert.deepEqual(body.waves, [[a], [b, c, e, f]]);
  assert.deepEqual([body.version, body.reason], ["1.4.0", "修复读卡器"]);
});

test("an upgrade that is on, is watched, and was stopped by a gate", async () => {
  const [a, b, c, d, e, f] = ids();
  const gate = (agent, state, more = {}) => ({ agent, state, since: now(), ...more });
  const rollout = {
    id: "r1",
    version: "1.4.0",
    by: "li",
    reason: "修复读卡器",
    began: now(),
    state: "running",
    changed: now(),
    waves: [
      { gates: [gate(a, "done")], began: now(), well: now(), over: true },
      {
        gates: [
          gate(b, "upgrading", { detail: "checking" }),
          gate(c, "refused", { why: "no-key" }),
          gate(d, "asked"),
          gate(e, "waits"),
        ],
        began: now(),
        well: never,
      },
      { gates: [gate(f, "waits")], began: never, well: never },
    ],
  };
  said = { ...said, rollout };
  await page.getByText("正在检查能否上传").waitFor();
  await inspect(page, "versions-running", widths);
  await button("停下").click();
  await until("the stop", () => asked.length === 2);
  assert.deepEqual(asked[1], ["/api/versions/do", { id: "r1", do: "stop" }]);
  said.rollout = {
    ...rollout,
    state: "stopped",
    why: "back",
    gate: b,
    waves: [
      rollout.waves[0],
      {
        ...rollout.waves[1],
        gates: [
          gate(b, "failed", { why: "back", detail: "within 2m0s the new version did not come up" }),
          ...rollout.waves[1].gates.slice(1),
        ],
      },
      rollout.waves[2],
    ],
  };
  await page.getByText("已退回原来的版本；不再升级别的门岗").waitFor();
  await inspect(page, "versions-stopped", widths);
  await button("不管失败的门岗，继续").click();
  await until("the end of the stop", () => asked.length === 3);
  assert.deepEqual(asked[2], ["/api/versions/do", { id: "r1", do: "go-on" }]);
});

test("upgrades that have ended are listed", async () => {
  const past = [
    {
      ...said.rollout,
      state: "finished",
      why: "",
      waves: [{ gates: said.rollout.waves[0].gates, began: now(), well: now(), over: true }],
    },
  ];
  delete said.rollout;
  said.past = past;
  await page.getByRole("heading", { name: "以前的升级" }).waitFor();
  assert.match(await page.locator("section", { hasText: "以前的升级" }).last().textContent(), /已完成 · 1\/1 个门岗/);
  await inspect(page, "versions-past", widths);
});
