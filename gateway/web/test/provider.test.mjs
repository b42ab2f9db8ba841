// Somebody logs in at the county's provider of identities, and confirms an act there.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect, manage, startCollector, userPage } from "./start.mjs";
import { openPage, port, sizes, startBrowser, until } from "./world.mjs";

const both = [1366, 800];
const root = new URL("../../..", import.meta.url);
const dir = mkdtempSync(join(tmpdir(), "gatehouse-provider-"));
let county, browser, page, address, provider;

/** Starts the provider; whoever comes is of these groups. */
async function provide(name, groups) {
  const to = `${county.address}/api/oidc/done`;
  const p = spawn(join(dir, "idp"), ["--listen", address, "--redirect", to, "--name", name, "--groups", groups]);
  let said = "";
  for (const s of [p.stdout, p.stderr]) s.on("data", (b) => (said += b));
  await until("the provider", () => {
    if (p.exitCode !== null) throw new Error(said);
    return said.includes("serving");
  });
  provider = {
    async stop() {
      p.stdin.end();
      await until("the provider's end", () => p.exitCode !== null);
    },
  };
}

before(async () => {
  execFileSync("go", ["build", "-o", join(dir, "idp"), "./gateway/testkit/idp/serve"], { cwd: root });
  writeFileSync(join(dir, "secret"), "a secret of sixteen or more\n", { mode: 0o600 });
  const desk = await port();
  address = `127.0.0.1:${await port()}`;
  county = await startCollector({
    desk,
    moreOfDesk: `oidc: {issuer: "http://${address}", url: "http://127.0.0.1:${desk}", client_id: gatehouse,
      client_secret_file: "${dir}/secret", label: 统一登录, roles: {duty: duty, admins: admin}}`,
  });
  browser = await startBrowser();
  await (await userPage(browser, await county.firstLink(), "王主任")).context().close();
  page = await openPage(browser, sizes.laptop, county.address);
});
after(async () => {
  await browser?.close();
  await provider?.stop();
  await county?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const enter = () => page.locator("a.provider").click();
const alert = (words) => page.getByText(words).waitFor();

test("a provider that does not answer is said in words, and passwords still count", async () => {
  await page.locator("a.provider").waitFor();
  await inspect(page, "provider-login", both);
  await enter();
  await page.locator("[role=alert]").waitFor();
  await inspect(page, "provider-away", both);
  await page.locator("form.login [name=password]").waitFor();
});

test("who is in no group that may work here is not let in", async () => {
  await provide("qian", "cooks");
  await until("the provider to be asked again", async () => {
    await enter(); // for some seconds the desk remembers that there was no answer
    await page.waitForURL(/failed=oidc/);
    return page.url().includes("failed=oidc-group");
  });
  await page.locator("[role=alert]").waitFor();
  await inspect(page, "provider-group", both);
  await provider.stop();
});

test("an administrator comes by the provider, and confirms an invitation there", async () => {
  await provide("zhao", "admins");
  await enter();
  await page.waitForSelector(".top");
  assert.match(await page.textContent(".top"), /zhao/);
  await manage(page, "用户");
  await page.locator("tr", { hasText: "zhao" }).waitFor();
  await inspect(page, "provider-users", both);
  await page.click("main form.row button.main");
  const go = page.locator("dialog[open] [type=submit]");
  assert.ok(await go.isDisabled());
  assert.equal(await page.locator("dialog[open] [type=password]").count(), 0);
  await inspect(page, "provider-confirm", both);
  const [tab] = await Promise.all([page.context().waitForEvent("page"), page.click("dialog[open] a")]);
  await tab.waitForURL(/\/confirmed$/);
  await tab.locator("main [role=status]").waitFor();
  await inspect(tab, "provider-confirmed", both);
  await tab.close();
  await until("the confirmation", async () => !(await go.isDisabled()));
  await go.click();
  await page.locator("code.link").waitFor();
  await page.getByRole("link", { name: "我的账户", exact: true }).click();
  await alert(/密码/);
  await inspect(page, "provider-account", both);
});

test("the log-out leads to the provider and back", async () => {
  await page.getByRole("button", { name: "退出 · zhao" }).click();
  await page.locator("form.login").waitFor();
  await until("the desk", () => page.url().startsWith(county.address));
});

test("no page has failed", () => {
  const others = page.problems.filter((p) => !p.startsWith(`request to http://${address}/`));
  assert.deepEqual(others, []);
});
