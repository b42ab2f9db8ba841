// The guard's screen on a computer that is no gate yet: each of its states, and the way from an empty folder to a gate.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, fits, laidOut, shot } from "./look.mjs";
import { manage } from "./start.mjs";
import { bin, openPage, password, port, sizes, startBrowser, startDemo, until } from "./world.mjs";

const home = "http://gatehouse.test";
const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const parts = "header > *, #headline, #digits, #order, #note, #wrong, #lines li > *, #keys button, #buttons button";
const types = { js: "text/javascript", css: "text/css", html: "text/html" };

const gate = { agent: "gate-017" };
const waiting = { ...gate, step: "waiting", fingerprint: "4071 8823 0195 6640" };
const text = "write the gate's files: open /etc/gatehouse/.enrol/new/roster.csv: no space left on device";
const states = {
  asking: { ...gate, step: "asking" },
  "no-network": { ...gate, step: "asking", trouble: "network", text: "ask the desk: connection refused" },
  proxy: { ...gate, step: "asking", trouble: "proxy" },
  county: { ...waiting, trouble: "county" },
  waiting,
  "clock-1970": { ...waiting, ahead: 1_581_660_000 },
  "clock-slow": { ...waiting, ahead: 5 * 3600 },
  "clock-fast": { ...waiting, ahead: -90 },
  done: { ...gate, step: "done", to: `${home}/` },
  "done-no-screen": { ...gate, step: "done" },
  ...Object.fromEntries(
    ["enrol-unknown", "enrol-late", "enrol-used", "enrol-refused", "enrol-key", "enrol-revoked", "enrol-forged"]
      .concat(["files", "folder"])
      .map((wrong) => [wrong, { ...gate, step: "wrong", wrong, text }]),
  ),
};
// A code of 36 groups, as gatehouse makes them.
const code = file("../../enrolment/testdata/code.txt").trim();

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

/** Opens the page with a program that is played: put(view) is what it says, posts what the page has told it. */
async function open(lang) {
  const page = await openPage(browser, { ...sizes.kiosk, lang }, "about:blank?");
  page.problems = [];
  page.posts = [];
  page.view = { step: "code" };
  page.wrong = null;
  await page.route(`${home}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    if (route.request().method() === "POST") {
      page.posts.push([pathname, route.request().postDataJSON()]);
      return page.wrong ? route.fulfill({ status: 422, json: page.wrong }) : route.fulfill({ status: 204 });
    }
    if (pathname === "/state") return page.view ? route.fulfill({ json: page.view }) : route.abort();
    if (pathname === "/healthz") return route.fulfill({ status: 404 });
    const asset = pathname.startsWith("/assets/") ? pathname.slice("/assets/".length) : "first.html";
    const contentType = `${types[asset.split(".").at(-1)]}; charset=utf-8`;
    return route.fulfill({ body: file(`../dist/${asset}`), contentType });
  });
  await page.goto(`${home}/?lang=${lang}`);
  return page;
}

async function inspect(page, name, lang) {
  for (const [size, box] of Object.entries({ 800: sizes.small, 1024: sizes.kiosk })) {
    await page.setViewportSize(box);
    await laidOut(page);
    await fits(page, `${name} ${lang} ${size}`, parts);
    const over = await page.evaluate(() => {
      const m = document.getElementById("main");
      return m.scrollHeight - m.clientHeight;
    });
    assert.ok(over <= 1, `${name} ${lang} ${size}: ${over} px are cut off`);
    await shot(page, `first-${name}-${lang}-${size}`);
  }
  await accessible(page, `${name} in ${lang}`);
}

for (const lang of ["zh", "en"]) {
  test(`each state fits, and says what to do, in ${lang}`, async () => {
    const page = await open(lang);
    await inspect(page, "code", lang);
    for (const [i, [name, view]] of Object.entries(states).entries()) {
      if (view.step === "done") continue; // the last ones
      page.view = { ...view, agent: `gate-${100 + i}` };
      await until(name, async () => (await page.textContent("#title")).endsWith(page.view.agent));
      if (view.fingerprint && !view.trouble) assert.equal(await page.textContent("#digits"), view.fingerprint);
      assert.ok((await page.textContent("#order")).length > 3, `${name} says nothing to do`);
      await inspect(page, name, lang);
    }
    page.view = null;
    await until("the cut", () => page.evaluate(() => document.body.className === "cut"));
    await inspect(page, "cut", lang);
    page.view = states["done-no-screen"];
    await until("the end", () => page.evaluate(() => document.body.className === "done"));
    await inspect(page, "done", lang);
    await page.context().close();
  });
}

test("a wrong group is named at once, and typed again with gloves", async () => {
  const page = await open("zh");
  const groups = code.split(/\s+/);
  await page.keyboard.type(groups.slice(0, 8).join(" ").toLowerCase());
  const bad = groups[8].slice(0, 4) + (groups[8][4] === "0" ? "1" : "0");
  for (const c of bad) await page.locator("#keys button", { hasText: new RegExp(`^${c}$`) }).click();
  assert.match(await page.textContent("#wrong"), /第 9 组（第 2 行）不对/);
  await inspect(page, "wrong-group", "zh");
  await page.locator("#lines .bad").click();
  await page.keyboard.type(`${groups[8]} ${groups.slice(9).join("-")}`);
  assert.equal(await page.textContent("#wrong"), "");
  await page.keyboard.press("u");
  assert.match(await page.textContent("#wrong"), /没有“u”/);
  page.wrong = { code: "text" };
  await page.keyboard.press("Enter");
  await until("the answer", async () => /逐行/.test(await page.textContent("#wrong")));
  const norm = (s) => s.replaceAll(/\s/g, "");
  assert.equal(norm(page.posts[0][1].code), norm(code));
  const small = await page.$$eval("#keys button", (l) => Math.min(...l.map((b) => b.getBoundingClientRect().height)));
  assert.ok(small >= 55, `a key is ${small} px high: gloves miss it`);
  await page.context().close();
});

test("who reads the manual finds what was typed again", async () => {
  const page = await open("zh");
  await page.route(`${home}/help/**`, (route) =>
    route.fulfill({ body: "<title>手册</title>", contentType: types.html }),
  );
  await page.keyboard.type(code.slice(0, 40));
  const typed = await page.textContent("#lines");
  await page.getByRole("link", { name: "使用手册" }).click();
  await page.waitForURL(`${home}/help/?lang=zh`);
  await page.goBack();
  await until("the groups", async () => (await page.textContent("#lines")) === typed);
  await page.context().close();
});

test("a scanner that types needs nobody at the keys", async () => {
  const page = await open("zh");
  await page.keyboard.type(`GATEHOUSE-ENROL:${code.replaceAll(/\s/g, "")}`);
  await page.keyboard.press("Enter");
  await until("the code", () => page.posts.length === 1);
  assert.equal(page.posts[0][1].code.replaceAll(" ", ""), code.replaceAll(/\s/g, ""));
  page.view = states["enrol-late"];
  await until("the refusal", async () => /已过期/.test(await page.textContent("#headline")));
  await page.keyboard.press("F1");
  await until("another one", () => page.posts.some(([path]) => path === "/again"));
  await page.context().close();
});

test("from an empty folder to the guard's screen, without a keyboard command", async () => {
  const demo = await startDemo({ gates: 2 });
  const [dir, at] = [join(demo.dir, "..", "blank"), await port()];
  const args = ["agent", "--enrol", "--tpm", "off", "--config", join(dir, "agent.yaml"), "--kiosk", `127.0.0.1:${at}`];
  const agent = spawn(bin("gatehouse"), args);
  let said = "";
  for (const s of [agent.stdout, agent.stderr]) s.on("data", (b) => (said += b));
  try {
    const desk = await openPage(browser, sizes.laptop, demo.link);
    await desk.fill("[name=name]", "li");
    await desk.fill("[name=password]", password);
    await desk.click("form.login button[type=submit]");
    await desk.waitForSelector(".tile", { timeout: 60_000 });
    await manage(desk, "入网");
    const row = desk.locator("tbody tr", { hasText: demo.gate });
    await row.getByRole("button", { name: "生成入网码" }).click();
    const card = await desk.locator(".card pre").textContent();

    await until("the first page", () => /no gate yet/.test(said));
    const manual = await fetch(`http://127.0.0.1:${at}/help/?lang=en`);
    assert.ok(manual.ok && manual.url.endsWith("/help/en/"), manual.url);
    const page = await openPage(browser, sizes.kiosk, `http://127.0.0.1:${at}/`);
    await page.keyboard.type(card.replaceAll("\n", " "));
    await page.keyboard.press("Enter");
    await until("the fingerprint", async () => /^(\d{4} ){3}\d{4}$/.test(await page.textContent("#digits")));
    assert.equal(await page.textContent("#digits"), await desk.locator(".asks .fingerprint").textContent());
    await desk.getByRole("button", { name: "数字一致，批准" }).click();
    await page.waitForSelector("#lamps", { timeout: 20_000 });
    assert.ok(existsSync(join(dir, "agent.yaml")));
    assert.equal(agent.exitCode, null, "it is the same process");
    assert.deepEqual(page.problems, []);
  } catch (e) {
    throw new Error(`${e.message}\n${said}`);
  } finally {
    agent.kill("SIGINT");
    await until("its end", () => agent.exitCode !== null || agent.signalCode !== null);
    await demo.stop();
  }
});
