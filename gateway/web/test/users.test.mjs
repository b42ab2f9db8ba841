import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, shot } from "./look.mjs";
import { manage } from "./start.mjs";
import { bin, openPage, password, port, sizes, startBrowser, until } from "./world.mjs";

let dir, collect, said, address, browser, page, guest;
const file = () => join(dir, "county/setup-link");

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "gatehouse-users-"));
  const [broker, desk] = [await port(), await port()];
  writeFileSync(
    join(dir, "sites.yaml"),
    readFileSync(new URL("../../../deploy/sites.example.yaml", import.meta.url).pathname),
  );
  writeFileSync(
    join(dir, "collect.yaml"),
    `{county: qinghe, dir: ${dir}/county, sites: sites.yaml, broker: {embedded: {listen: "127.0.0.1:${broker}"}},
    desk: {listen: "127.0.0.1:${desk}"}}`,
  );
  address = `http://127.0.0.1:${desk}`;
  said = "";
  collect = spawn(bin("gatehouse"), ["collect", "--config", join(dir, "collect.yaml")]);
  for (const stream of [collect.stdout, collect.stderr]) stream.on("data", (b) => (said += b));
  await until("the link for the first user", () => existsSync(file()) && readFileSync(file(), "utf8").endsWith("\n"));
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  collect?.kill("SIGINT");
  await until("its end", () => collect.exitCode !== null || collect.signalCode !== null);
  rmSync(dir, { recursive: true, force: true });
});

async function fill(p, name, secret) {
  if (name) await p.fill("[name=name]", name);
  await p.fill("[name=password]", secret);
  await p.click("form.login button[type=submit]");
}

/** Answers the question for one's own password. */
async function confirm(p) {
  await p.fill("dialog[open] input[type=password]", password);
  await p.click("dialog[open] button.main");
  await until("the answer", async () => !(await p.$("dialog[open]")));
}

const row = (name) => page.locator("tr", { hasText: name });
const nav = async (p) => (await p.$$eval(".top nav a", (l) => l.map((x) => x.textContent))).join(" ");

/** Looks at a page in both languages and sizes. */
async function inspect(p, name) {
  for (const lang of ["zh", "en"]) {
    if ((await p.evaluate(() => document.documentElement.lang)).startsWith("zh") !== (lang === "zh"))
      await p.click(".lang");
    for (const [size, box] of [
      ["1366", sizes.laptop],
      ["1920", sizes.wide],
    ]) {
      await p.setViewportSize(box);
      const over = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} ${lang} ${size} is ${over} px too wide`);
      await shot(p, `desk-${name}-${lang}-${size}`);
    }
    await accessible(p, `${name} in ${lang}`);
  }
  await p.click(".lang");
}

test("the link for the first user is in a file, not in the log, and goes when it is used", async () => {
  const link = readFileSync(file(), "utf8").trim();
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.ok(said.includes(file()) && !said.includes(link.split("#")[1]), said);
  page = await openPage(browser, sizes.laptop, link);
  await until("the role", async () => /管理员/.test(await page.textContent("form.login")));
  await fill(page, "王主任", "Qinghe@2020!");
  await until("the refusal", async () => /太容易被猜到/.test(await page.textContent("form.login")));
  await fill(page, "王主任", password);
  await page.waitForSelector(".tile");
  assert.equal(existsSync(file()), false);
});

test("an administrator invites a duty officer, who sees what the role may see", async () => {
  await manage(page, "用户");
  await page.click("main form.row button.main");
  await page.fill("dialog[open] input[type=password]", "wrong horse");
  await page.click("dialog[open] button.main");
  await until("the refusal", async () => /不对/.test(await page.textContent("dialog[open]")));
  await accessible(page, "the question for the password");
  await shot(page, "desk-confirm-zh-1366");
  await confirm(page);
  await until("the open link", async () => (await page.$$("button.withdraw")).length === 1);
  await page.click("button.withdraw");
  await until("its end", async () => (await page.$$("button.withdraw")).length === 0);
  await page.click("main form.row button.main");
  await confirm(page);
  guest = await openPage(browser, sizes.laptop, await page.textContent("code.link"));
  await until("the role", async () => /值班/.test(await guest.textContent("form.login")));
  await fill(guest, "李干事", password);
  await guest.waitForSelector(".tile");
  assert.match(await nav(guest), /隔离与缺失.*我的账户/);
  assert.doesNotMatch(await nav(guest), /用户/);
  await guest.goto(`${address}/users`);
  await until("a word", async () => /角色不能做此操作/.test(await guest.textContent("main")));
});

test("a new role ends the sessions, and hides what it may not do", async () => {
  await until("the new user", async () => (await row("李干事").count()) === 1);
  await row("李干事").locator("select").selectOption("viewer");
  assert.match(await page.textContent("dialog[open]"), /“李干事”的角色改为：查看/);
  await confirm(page);
  await guest.waitForSelector("dialog[open] form.login", { timeout: 5000 });
  await fill(guest, "李干事", password);
  await until("the login to be gone", async () => !(await guest.$("form.login")));
  await guest.goto(`${address}/`);
  await guest.waitForSelector(".tile");
  assert.doesNotMatch(await nav(guest), /隔离与缺失|用户/);
  assert.doesNotMatch(await guest.textContent("main"), /最近通行/);
  await inspect(guest, "viewer");
  await guest.click('nav a[href="/notices"]');
  assert.equal(await guest.$("form.notice"), null);
});

test("everybody changes the own password and ends the own sessions", async () => {
  const other = await openPage(browser, sizes.laptop, address);
  await fill(other, "李干事", password);
  await other.waitForSelector(".tile");
  await guest.click('nav a[href="/account"]');
  await until("both sessions", async () => (await guest.$$("tbody tr")).length === 2);
  assert.match(await guest.textContent("tbody"), /Chrome · Linux/);
  await inspect(guest, "account");
  const [was, next] = await guest.$$("form.narrow input[type=password]");
  await was.fill(password);
  await next.fill("another horse battery");
  await guest.click("form.narrow button");
  await until("the change", async () => /密码已修改/.test(await guest.textContent("main")));
  await other.waitForSelector("dialog[open] form.login", { timeout: 5000 });
  await other.context().close();
});

test("a token is shown once; who leaves is out at once; a reset link sets a new password", async () => {
  await page.fill("form.notice input[type=text]", "grafana");
  await page.click("form.notice button");
  await confirm(page);
  const token = await page.textContent("code.link >> nth=-1");
  const ask = async () =>
    (await fetch(`${address}/api/hours?for=24h`, { headers: { Authorization: `Bearer ${token}` } })).status;
  assert.equal(await ask(), 200);
  await row("李干事")
    .getByRole("button", { name: /登录情况/ })
    .click();
  await until("the sessions", async () => /“李干事”的登录/.test(await page.textContent("main")));
  await until("its use", async () => /127\.0\.0\.1/.test(await row("grafana").textContent()));
  await inspect(page, "users");
  await row("grafana").getByRole("button").click();
  await until("the end of the token", async () => (await ask()) === 401);

  await row("李干事").getByRole("button", { name: /停用/ }).click();
  await guest.waitForSelector("dialog[open] form.login", { timeout: 5000 });
  await fill(guest, "李干事", "another horse battery");
  await until("a word", async () => /已停用/.test(await guest.textContent("dialog[open]")));
  await row("李干事").getByRole("button", { name: /启用/ }).click();
  await confirm(page);
  await row("王主任").getByRole("button", { name: /停用/ }).click();
  await until("the refusal", async () => /最后一个管理员/.test(await page.textContent("main")));

  await row("李干事")
    .getByRole("button", { name: /重设密码/ })
    .click();
  await confirm(page);
  await guest.goto(await page.textContent("code.link >> nth=0"));
  await until("the name", async () => (await guest.inputValue("[name=name]")) === "李干事");
  await shot(guest, "desk-reset-zh-1366");
  await fill(guest, "", "a third horse battery");
  await guest.waitForSelector(".tile");
  assert.deepEqual(page.problems, []);
  assert.deepEqual(guest.problems, []);
});
