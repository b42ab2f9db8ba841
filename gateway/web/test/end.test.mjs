// The county's service ends: one asks, another one agrees, the county's name is typed, the certificate is printed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shot } from "./look.mjs";
import { inspect, manage, startCollector, sure, userPage } from "./start.mjs";
import { startBrowser } from "./world.mjs";

const both = [1366, 800];
let county, browser, admin, auditor;

before(async () => {
  county = await startCollector();
  browser = await startBrowser();
  admin = await userPage(browser, await county.firstLink(), "王主任");
  auditor = await userPage(browser, county.invite("auditor"), "审计员");
  await manage(admin, "结束");
});
after(async () => {
  await browser?.close();
  await county?.stop();
});

const button = (page, name) => page.getByRole("button", { name, exact: true });

test("an administrator asks, and an auditor can only look", async () => {
  await admin.getByText("尚未开始，也没有人提出").waitFor();
  await inspect(admin, "end-none", both);
  await manage(auditor, "结束");
  await auditor.getByText("尚未开始，也没有人提出").waitFor();
  assert.equal(await auditor.locator("main button").count(), 0);
  await button(admin, "提出结束…").click();
  await inspect(admin, "end-ask", both);
  await sure(admin, "wrong horse");
  await admin.locator("dialog[open] .failed[role=alert]").waitFor();
  await sure(admin);
  await admin.getByText(/王主任 已提出（编号 1），等待/).waitFor();
  await inspect(admin, "end-waits", both);
});

test("the second person refuses, and agrees to another request", async () => {
  await auditor.getByRole("main").getByRole("link", { name: "双人确认" }).click();
  await auditor.getByText("qinghe：所有门岗").waitFor();
  await button(auditor, "拒绝: 1").click();
  await admin.getByText("审计员 已拒绝或撤回").waitFor();
  await button(admin, "提出结束…").click();
  await sure(admin);
  await button(auditor, "同意: 2").click();
  assert.match(await auditor.textContent("dialog[open]"), /王主任.*结束运行并销毁个人资料 qinghe：所有门岗/);
  await sure(auditor);
  await admin.getByText(/审计员 已同意/).waitFor();
  await inspect(admin, "end-agreed", both);
});

test("the county's name is typed before the gates are told", async () => {
  await button(admin, "令所有门岗停用…").click();
  const go = button(admin, "永久停用");
  await admin.fill("dialog[open] [type=password]", "correct horse battery");
  assert.ok(await go.isDisabled());
  await admin.fill("dialog[open] [name=county]", "清河县");
  assert.ok(await go.isDisabled());
  await admin.fill("dialog[open] [name=county]", "清和县");
  await inspect(admin, "end-begin", both);
  await go.click();
  await admin.getByText(/王主任 提出，审计员 同意（编号 2）/).waitFor();
  await admin.getByText(/\d+ 个门岗中 0 个已回执/).waitFor();
  await inspect(admin, "end-begun", both);
});

test("gates that have not answered are named first, with when they were heard last", async () => {
  const states = ["ended", "told", "revoked", "unknown", "anew"];
  await admin.route("**/api/end", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const received = new Date(Date.now() - 90_000).toISOString();
    json.gates = states.map((state, i) => ({
      agent: `gate-00${i + 1}`,
      state,
      ...(state === "ended" ? { received, through: 48211 } : {}),
    }));
    await route.fulfill({ response, json });
  });
  await admin.getByText("5 个门岗中 1 个已回执").waitFor();
  const rows = await admin.locator("tbody tr").allTextContents();
  assert.match(rows[0], /gate-002.*未应答/);
  assert.match(rows.at(-1), /gate-001.*已停用.*48211/);
  await inspect(admin, "end-gates", both);
  await admin.unroute("**/api/end");
});

test("the certificate of a finished end is shown and printed", async () => {
  const number = /--consent (\d+)/.exec(county.run("end", "finish", "--without-missing"))[1];
  await auditor.getByText(/qinghe：县里的数据/).waitFor();
  await button(auditor, `同意: ${number}`).click();
  await sure(auditor);
  await auditor.getByText(/审计员 已同意，尚未执行/).waitFor();
  await county.end();
  assert.match(county.run("end", "finish", "--without-missing", "--consent", number), /Done\./);
  await county.start();
  await admin.goto(`${county.address}/end`);
  await admin.getByText(/完成，未应答门岗 \d+ 个/).waitFor();
  await button(admin, "显示证明").click();
  const certificate = admin.locator(".certificate");
  await certificate.waitFor();
  assert.match(await certificate.textContent(), /Certificate of destruction[^]*清和县 \(qinghe\)[^]*Ed25519/);
  assert.match(await admin.getByRole("table", { name: "县里已销毁" }).textContent(), /残留假名检查检查 \d+ 字节/);
  assert.equal(await admin.locator("main [lang=en]").count(), 0);
  await inspect(admin, "end-certificate", both);
  await admin.emulateMedia({ media: "print" });
  assert.ok(!(await admin.locator(".top").isVisible()) && (await certificate.isVisible()));
  assert.ok(!(await admin.getByText("县里已销毁").first().isVisible()));
  await shot(admin, "desk-end-print");
  await admin.emulateMedia({ media: null });
});

test("no page has failed", () => assert.deepEqual([...admin.problems, ...auditor.problems], []));
