// How the desk's tests begin: a county, a browser, people who are logged in; and how its pages are looked at.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, laidOut, shot } from "./look.mjs";
import { bin, openPage, password, port, sizes, startBrowser, startDemo, until } from "./world.mjs";

/** Logs in on a page, or sets up a user when it was opened by a link. */
export async function logIn(page, name, secret = password) {
  if (name) await page.fill("[name=name]", name);
  await page.fill("[name=password]", secret);
  await page.click("form.login button[type=submit]");
  await page.waitForSelector(".top");
}

/** A page of a new user, who is made by a link. */
export async function userPage(browser, link, name) {
  const page = await openPage(browser, sizes.laptop, link);
  await logIn(page, name);
  return page;
}

/** A demo of a few gates, and the administrator li at its desk. */
export async function startAtDesk({ gates = 2, before = async () => {} } = {}) {
  const demo = await startDemo({ gates });
  const browser = await startBrowser();
  await before(demo, browser);
  const page = await userPage(browser, demo.link, "li");
  await page.waitForSelector(".tile");
  return {
    demo,
    browser,
    page,
    invite: (role) => link(join(demo.dir, "county"), demo.desk, role),
    async stop() {
      await browser.close();
      await demo.stop();
    },
  };
}

const link = (dir, url, role) =>
  /http\S+setup#\S+/.exec(
    execFileSync(bin("gatehouse"), ["invite", "--dir", dir, "--url", url, "--role", role], { encoding: "utf8" }),
  )[0];

/** A collector with a desk, without gates; more is added to its configuration and to its part for the desk. */
export async function startCollector({ desk: at, more = "", moreOfDesk = "" } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "gatehouse-desk-"));
  const [broker, desk] = [await port(), at ?? (await port())];
  writeFileSync(join(dir, "sites.yaml"), readFileSync(new URL("../../../deploy/sites.example.yaml", import.meta.url)));
  writeFileSync(
    join(dir, "collect.yaml"),
    `{county: qinghe, dir: ${dir}/county, sites: sites.yaml, broker: {embedded: {listen: "127.0.0.1:${broker}"}},
    ${more} desk: {listen: "127.0.0.1:${desk}", ${moreOfDesk}}}`,
  );
  const c = { dir, address: `http://127.0.0.1:${desk}`, linkFile: join(dir, "county/setup-link"), said: "" };
  let p;
  const config = ["--config", join(dir, "collect.yaml")];
  c.start = async () => {
    p = spawn(bin("gatehouse"), ["collect", ...config]);
    for (const stream of [p.stdout, p.stderr]) stream.on("data", (b) => (c.said += b));
    await until(
      "the desk",
      () => {
        if (p.exitCode !== null) throw new Error(c.said);
        return fetch(`${c.address}/healthz`).then(
          (r) => r.ok,
          () => false,
        );
      },
      60_000,
    );
  };
  c.end = async () => {
    p.kill("SIGINT");
    await until("the collector's end", () => p.exitCode !== null || p.signalCode !== null, 30_000);
  };
  c.stop = async () => {
    await c.end();
    rmSync(dir, { recursive: true, force: true });
  };
  c.firstLink = () =>
    until("the link for the first user", () => existsSync(c.linkFile) && readFileSync(c.linkFile, "utf8").trim());
  c.invite = (role) => link(join(dir, "county"), c.address, role);
  /** Runs a command on the county; returns what it prints. */
  c.run = (...args) => execFileSync(bin("gatehouse"), [...args, ...config], { encoding: "utf8" });
  await c.start();
  return c;
}

/** Goes to a page of those by which the county is managed, which are in a menu when there are many. */
export async function manage(page, name) {
  const menu = page.locator(".menu summary");
  if (await menu.count()) await menu.click();
  await page.locator("nav").getByRole("link", { name, exact: true }).click();
}

/** Answers a dialog that asks for the password. */
export async function sure(page, secret = password) {
  await page.fill("dialog[open] [type=password]", secret);
  await page.click("dialog[open] [type=submit]");
}

const boxes = { 1366: sizes.laptop, 1180: { width: 1180, height: 800 }, 800: { width: 800, height: 900 } };

/**
 * Looks at a page of the desk in both languages: nothing is wider than the page, all is accessible. It shows the page
 * in Chinese, and does so afterwards. A dialog covers the button for the language, which is clicked all the same.
 */
export async function inspect(page, name, widths = [1366]) {
  const turn = () => page.evaluate(() => document.querySelector(".lang").click());
  for (const lang of ["zh", "en"]) {
    if (lang === "en") await turn();
    for (const width of widths) {
      await page.setViewportSize(boxes[width]);
      await laidOut(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} ${lang} ${width} is ${over} px too wide`);
      await shot(page, `desk-${name}-${lang}-${width}`);
    }
    await accessible(page, `${name} in ${lang}`);
  }
  await page.setViewportSize(sizes.laptop);
  await turn();
}
