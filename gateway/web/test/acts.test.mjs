// What somebody at the desk has a gate do, and what two people decide.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, startAtDesk, sure, userPage } from "./start.mjs";
import { openPage, sizes, until } from "./world.mjs";

const both = [1366, 800];
let at, demo, page, kiosk, auditor;

before(async () => {
  at = await startAtDesk({
    before: async (demo, browser) => {
      kiosk = await openPage(browser, sizes.kiosk, demo.kiosk);
    },
  });
  ({ demo, page } = at);
  await page.goto(`${demo.desk}/gates/${demo.gate}`);
});
after(() => at?.stop());

const button = (name) => page.getByRole("button", { name, exact: true });
const last = () => page.locator("#commands tbody tr").first().textContent();
const said = (words) => until(words, async () => words.test(await last()));
const ask = async (what, fields = {}) => {
  await button(`${what}…`).click();
  await page.fill("dialog[open] [name=reason]", "演练");
  for (const [name, text] of Object.entries(fields)) await page.fill(`dialog[open] [name=${name}]`, text);
};
const go = () => page.click("dialog[open] [type=submit]");

test("a gate that nobody has commanded says so", async () => {
  await page.getByText("没有下达过命令").waitFor();
  await inspect(page, "commands-none", both);
});

test("a barrier is opened with a reason and the password; a gate without one says so", async () => {
  await button("开闸一次…").click();
  await inspect(page, "command-open", both);
  await page.keyboard.press("Escape");
  await until("the end of the dialog", async () => (await page.locator("dialog[open]").count()) === 0);
  await ask("开闸一次");
  await sure(page, "wrong horse");
  await page.locator("dialog[open] [role=alert]").waitFor();
  await inspect(page, "command-wrong");
  await sure(page);
  await said(/开闸一次.*演练.*li.*门岗拒绝了，什么也没有发生.*没有程序能打开的闸机/);
});

test("a notice is shown at once, rules are read again, the program restarts", async () => {
  await ask("立即显示通知", { zh: "请打开二号通道", en: "Open lane two" });
  await inspect(page, "command-notice", both);
  await go();
  await said(/立即显示通知 · 请打开二号通道.*已执行/);
  await until("the notice at the gate", async () => /请打开二号通道/.test(await kiosk.textContent("body")));
  await ask("重新读取配置");
  await inspect(page, "command-reload");
  await go();
  await said(/重新读取配置.*已执行/);
  await inspect(page, "commands", both);
  await ask("重启门岗程序");
  await inspect(page, "command-restart");
  await page.click("dialog[open] [type=button]");
  await until("the end of the dialog", async () => (await page.locator("dialog[open]").count()) === 0);
});

test("what can't be done is said in words", async () => {
  await page.route("**/api/commands?*", async (route) => {
    const response = await route.fetch();
    const [one] = await response.json();
    const states = ["asked", "sent", "undelivered", "unknown", "refused", "refused"];
    const json = states.map((state, i) => ({
      ...one,
      id: String(i),
      state,
      why: state === "refused" ? ["fever", "files"][i % 2] : undefined,
      detail: i === 5 ? "agent.yaml: line 12: unknown field" : undefined,
    }));
    await route.fulfill({ response, json });
  });
  await page.getByText("正在联系门岗").waitFor();
  await page.getByText("那里正在显示发热或其他警报").waitFor();
  await inspect(page, "commands-states", both);
  await page.unroute("**/api/commands?*");
});

test("requests of each state, as who asks and who agrees see them", async () => {
  auditor = await userPage(at.browser, at.invite("auditor"), "审计员");
  for (const p of [page, auditor]) await p.goto(`${demo.desk}/consents`);
  await page.getByText("最近没有需要第二人同意的操作").waitFor();
  await inspect(page, "consents-none", both);
  const asked_at = new Date(Date.now() - 120_000).toISOString();
  const hour = (n) => new Date(Date.now() + n * 3_600_000).toISOString();
  const one = { act: "end", object: "county qinghe, gates", asked_by: "li", asked_at, expires: hour(1) };
  const rows = [
    { ...one, id: 7, may_agree: true },
    { ...one, id: 6, act: "trace", object: "pseudonym abcdefgh-abcdefghijklmnopqrstuvwxyz", agreed_by: "审计员" },
    { ...one, id: 5, act: "access-report", object: "card", own: true },
    { ...one, id: 4, object: "county qinghe, data, without 3 gates", refused_by: "审计员" },
    { ...one, id: 3, act: "rules", object: "policy default 4", agreed_by: "审计员", done_at: asked_at },
    { ...one, id: 2, expires: hour(-1) },
    { ...one, id: 1, act: "of-a-later-version", object: undefined, own: true },
  ];
  await page.route("**/api/consents", (route) => route.fulfill({ json: rows }));
  await page.getByText("qinghe：县里的数据（未应答门岗 3 个）").waitFor();
  const row = (id) =>
    page
      .locator("tbody tr")
      .nth(7 - id)
      .textContent();
  assert.match(await row(7), /结束运行并销毁个人资料qinghe：所有门岗li待同意.*同意拒绝/);
  assert.match(await row(6), /审计员 已同意，尚未执行–$/);
  assert.match(await row(5), /查某卡存有哪些资料.*待同意.*撤回$/);
  assert.match(await row(4), /审计员 已拒绝或撤回–$/);
  assert.match(await row(3), /下发规则.*审计员 已同意，已执行–$/);
  assert.match(await row(2), /已过期–$/);
  assert.match(await row(1), /of-a-later-version–li/);
  await inspect(page, "consents", both);
  await page.unroute("**/api/consents");
});

test("a real request is taken back, refused, agreed to", async () => {
  const post = async (path, body) =>
    page.evaluate(
      ([to, b]) => fetch(to, { method: "POST", body: JSON.stringify(b) }).then((r) => r.status),
      [path, body],
    );
  for (const _ of [1, 2, 3]) assert.equal(await post("/api/end/ask", { password: "correct horse battery" }), 204);
  await button("撤回: 1").click();
  await page.getByText("li 已拒绝或撤回").waitFor();
  await auditor.getByRole("button", { name: "拒绝: 2", exact: true }).click();
  await auditor.getByText("审计员 已拒绝或撤回").waitFor();
  await auditor.getByRole("button", { name: "同意: 3", exact: true }).click();
  await inspect(auditor, "consents-agree", both);
  await sure(auditor, "wrong horse");
  await auditor.locator("dialog[open] [role=alert]").waitFor();
  await sure(auditor);
  await auditor.getByText("审计员 已同意，尚未执行").waitFor();
});

test("no page has failed", () =>
  assert.deepEqual(
    [page, auditor, kiosk].flatMap((p) => p.problems),
    [],
  ));
