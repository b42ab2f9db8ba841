import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, shot } from "./look.mjs";
import { manage } from "./start.mjs";
import { bin, openPage, password, port, sizes, startBrowser, until } from "./world.mjs";

let dir, web, desk, browser, page, link;
const running = [];
const example = (name) => new URL(`../../../deploy/${name}`, import.meta.url).pathname;

/** Starts a program; its output is kept for the message of a failure. */
function start(command, ...args) {
  const p = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const out = { text: "" };
  for (const stream of [p.stdout, p.stderr]) stream.on("data", (b) => (out.text += b));
  running.push(p);
  return out;
}

/** nginx passes three paths on: one as it is, one stripped, one without WebSockets. */
function nginx() {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((n) => `${n}_temp_path ${dir}/${n};`)
    .join("\n");
  const pass = (way) => `proxy_pass http://127.0.0.1:${desk}${way}; proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;
  const upgrade = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;`;
  const file = join(dir, "nginx.conf");
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/log; events {} http { access_log off; ${temp}
    server { listen 127.0.0.1:${web};
      location /gatehouse/ { ${pass("")} ${upgrade} }
      location /office/desk { ${pass("/")} ${upgrade} }
      location /deaf/ { ${pass("/")} }
      location /lost/ { proxy_pass http://127.0.0.1:${desk}; proxy_set_header Host $http_host; }
    } }`,
  );
  return start("nginx", "-e", "stderr", "-c", file);
}

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "gatehouse-proxy-"));
  [web, desk] = [await port(), await port()];
  const broker = await port();
  writeFileSync(join(dir, "sites.yaml"), readFileSync(example("sites.example.yaml")));
  writeFileSync(
    join(dir, "collect.yaml"),
    `{county: qinghe, dir: ${dir}/county, sites: sites.yaml, broker: {embedded: {listen: "127.0.0.1:${broker}"}},
    desk: {listen: "127.0.0.1:${desk}", path: /gatehouse, proxies: [127.0.0.1]}}`,
  );
  const collect = start(bin("gatehouse"), "collect", "--config", join(dir, "collect.yaml"));
  const file = join(dir, "county/setup-link");
  await until(`the desk ${collect.text}`, () => existsSync(file));
  link = /http\S+(\/setup#[\w-]+)/.exec(readFileSync(file, "utf8"))[1];
  const front = nginx();
  await until(`nginx ${front.text}`, () =>
    fetch(`http://127.0.0.1:${web}/gatehouse/`).then(
      (r) => r.ok,
      () => false,
    ),
  );
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  for (const p of running) {
    p.kill("SIGINT");
    await until("its end", () => p.exitCode !== null || p.signalCode !== null);
  }
  rmSync(dir, { recursive: true, force: true });
});

const at = (path) => `http://127.0.0.1:${web}${path}`;

async function fill(name) {
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.click("form.login button[type=submit]");
}

test("the desk works below a path: set up, live, links, a deep page, log out and in", async () => {
  page = await openPage(browser, sizes.laptop, at(`/gatehouse${link}`));
  await page.waitForSelector("form.login");
  await accessible(page, "the setup below a path");
  await fill("wang");
  await page.waitForSelector("a.tile");
  assert.equal(page.url(), at("/gatehouse/"));
  await shot(page, "desk-below-a-path");
  const href = await page.getAttribute("a.tile", "href");
  assert.match(href, /^\/gatehouse\/gates\/[^/]+$/);
  await page.click("a.tile");
  assert.equal(page.url(), at(href));
  await page.reload();
  await page.waitForSelector("h2");
  await until("live data", async () => /\d\d:\d\d:\d\d/.test(await page.textContent(".until")));
  await page.goBack();
  await page.waitForSelector("a.tile");
  await manage(page, "用户");
  await page.click("section button.main");
  await page.fill("dialog[open] input[type=password]", password);
  await page.click("dialog[open] button.main");
  await page.waitForSelector("code.link");
  assert.match(await page.textContent("code.link"), new RegExp(`^${at("/gatehouse/setup#")}`));
  await page.click(".top button:not(.lang)");
  await page.waitForSelector("form.login");
  await shot(page, "desk-below-a-path-login");
  await fill("wang");
  await page.waitForSelector(".menu summary.here");
  assert.deepEqual(page.problems, []);
});

test("a proxy may strip the path, and double the slash", async () => {
  await page.context().clearCookies();
  await page.goto(at("/office/desk/alerts"));
  await page.waitForSelector("form.login");
});

test("a page whose files do not load says so", async () => {
  const p = await openPage(browser, sizes.laptop, at("/office/desk")); // without the slash at the end
  await p.waitForSelector(".unloaded", { state: "visible" });
  assert.match(await p.textContent("body"), /地址末尾/);
  await shot(p, "desk-without-its-files");
  await p.context().close();
});

test("a path that nobody configured says what to set", async () => {
  const p = await openPage(browser, sizes.laptop, at("/lost/"));
  assert.match(await p.textContent("body"), /desk\.path: \/lost/);
  await shot(p, "desk-at-a-path-nobody-set");
  await p.context().close();
});

test("a proxy without WebSockets is named on the page", async () => {
  const cookies = (await page.context().cookies()).length;
  assert.equal(cookies, 0);
  await page.goto(at("/gatehouse/"));
  await page.waitForSelector("form.login");
  await fill("wang");
  await page.waitForSelector("a.tile");
  const [own] = await page.context().cookies(at("/gatehouse/"));
  await page.context().addCookies([{ ...own, path: "/deaf/" }]);
  await page.goto(at("/deaf/"));
  await page.waitForSelector(".banner.red");
  assert.match(await page.textContent(".banner.red"), /WebSocket/);
  assert.doesNotMatch(await page.textContent("body"), /暂无告警|数据截至/); // nothing is known
  await shot(page, "desk-without-live-connection");
});
