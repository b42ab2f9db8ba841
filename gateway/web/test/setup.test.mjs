// Set-up in a browser: from an empty folder to a user at the desk, and each way in which it can go wrong.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, laidOut, shot } from "./look.mjs";
import { bin, openPage, password, port, sizes, startBrowser, until } from "./world.mjs";

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const table = "社区,网格,小区,门岗,户数\n东城社区,第一网格,丽景苑,gate-001,89\n东城社区,第一网格,安泰里,gate-002,120\n";

/** Set-up by the real program, in an empty folder. */
async function start({
  flags = [],
  dir = mkdtempSync(join(tmpdir(), "gatehouse-first-")),
  at,
  program,
  more = {},
} = {}) {
  const s = { dir, at: at ?? (await port()), said: "", desk: await port(), broker: await port() };
  const place = ["--dir", join(dir, "etc"), "--data", join(dir, "var"), "--listen", `127.0.0.1:${s.at}`];
  const p = spawn(program ?? bin("gatehouse"), ["setup", "--web", ...place, "--language", "en", ...flags], more);
  for (const out of [p.stdout, p.stderr]) out.on("data", (b) => (s.said += b));
  s.links = () => [...s.said.matchAll(/http:\/\/\S+#\S+/g)].map((m) => m[0]);
  s.link = () => until("the link", () => s.links().at(-1) ?? (p.exitCode !== null && assert.fail(s.said)));
  s.ended = () => until("the end", () => p.exitCode !== null || p.signalCode !== null, 30_000).then(() => p.exitCode);
  s.end = async () => {
    p.kill("SIGINT");
    return s.ended();
  };
  s.stop = async () => {
    if (p.exitCode === null) await s.end();
    rmSync(dir, { recursive: true, force: true });
  };
  return s;
}

const widths = { 1366: sizes.laptop, 1180: { width: 1180, height: 800 }, 390: { width: 390, height: 844 } };

/** Looks at what is shown in both languages and three widths; at a state that differs little from others, in two. */
async function inspect(page, name, little = false) {
  const turn = () => page.click(".lang");
  for (const lang of ["zh", "en"]) {
    if (lang === "en") await turn();
    for (const [width, box] of Object.entries(widths)) {
      if (little && width === "1180") continue;
      await page.setViewportSize(box);
      await laidOut(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} ${lang} ${width} is ${over} px too wide`);
      await shot(page, `setup-${name}-${lang}-${width}`);
    }
    if (!little || lang === "zh") await accessible(page, `${name} in ${lang}`);
    const own = () => [...document.querySelectorAll("main :not(pre, pre *, input)")].flatMap((e) => [...e.childNodes]);
    const texts = await page.evaluate(`(${own})().filter((n) => n.nodeType === 3).map((n) => n.data).join(" ")`);
    if (lang === "en") assert.doesNotMatch(texts, /[一-龥]{4}/, `${name} is not all English`);
  }
  await page.setViewportSize(sizes.laptop);
  await turn();
}

const heading = (page, text) => page.getByRole("heading", { name: text, exact: true }).waitFor({ timeout: 30_000 });
const next = (page) => page.click("button[type=submit]");
const wrong = async (page, what) => {
  await page.locator(".failed", { hasText: what }).first().waitFor({ timeout: 30_000 });
};
const choose = (page, name, text, mimeType = "text/csv") =>
  page.setInputFiles("[name=file]", { name, mimeType, buffer: Buffer.from(text) });

/** Answers all questions but those of the step of the store, which is shown afterwards. */
async function answer(page, s, { address = "", sites = true } = {}) {
  await page.fill("[name=county]", "qinghe");
  await page.fill("[name=name]", "清和县");
  await next(page);
  await heading(page, "地址");
  if (address) {
    await page.getByLabel("门岗和其他计算机").check();
    await page.fill("[name=address]", address);
  }
  await page.fill("[name=port-desk]", String(s.desk));
  await page.fill("[name=port-broker]", String(s.broker));
  await next(page);
  await heading(page, "门岗名册");
  if (sites) {
    await page.getByLabel("上传名册文件").check();
    await choose(page, "名册.csv", table);
    await page.locator(".good", { hasText: "2 个门岗" }).waitFor();
  }
  await next(page);
  await heading(page, "数据");
}

test("from an empty folder to a user at the desk, over TLS, without a command", async () => {
  const s = await start({ flags: ["--start"] });
  try {
    const page = await openPage(browser, { ...sizes.laptop, trusting: true }, await s.link());
    await heading(page, "县");
    assert.ok(!page.url().includes("#"), "the link's secret stays in the address");
    await inspect(page, "county");
    await page.fill("[name=county]", "清和县");
    await next(page);
    await wrong(page, "用小写字母");
    await inspect(page, "county-wrong", true);
    await answer(page, s, { address: "127.0.0.1" });
    await page.click("button:has-text('上一步')");
    await heading(page, "门岗名册");
    await inspect(page, "sites");
    await page.click("button:has-text('上一步')");
    await inspect(page, "address");
    await page.reload(); // broken half-way: the program knows the answers
    await heading(page, "县");
    assert.equal(await page.inputValue("[name=county]"), "qinghe");
    for (const at of ["地址", "门岗名册", "数据"]) {
      await next(page);
      await heading(page, at);
    }
    assert.match(await page.getByRole("radio", { name: /SQLite/ }).inputValue(), /on/);
    await inspect(page, "store");
    await next(page);
    await page.waitForSelector(".write", { timeout: 30_000 });
    assert.match(await page.textContent("pre"), /county: qinghe/);
    assert.ok(!existsSync(join(s.dir, "etc")), "it has written something before somebody agreed");
    await inspect(page, "plan");
    await page.click(".write");
    await heading(page, "县中心已经启动");
    await inspect(page, "done");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("a.trust")]);
    assert.match(readFileSync(await download.path(), "utf8"), /BEGIN CERTIFICATE/);
    assert.deepEqual(page.problems, []);
    await page.click("a.go");
    await page.fill("[name=name]", "li");
    await page.fill("[name=password]", password);
    await page.click("form.login button[type=submit]");
    await page.waitForSelector(".tile", { timeout: 60_000 });
    assert.match(await page.textContent(".top h1"), /清和县/);
    assert.equal(await page.locator(".tile").count(), 2);
    assert.match(readFileSync(join(s.dir, "etc/sites.yaml"), "utf8"), /丽景苑/);
    await until("the report", () => /collect\.yaml/.test(s.said));
    await page.context().close();
    assert.equal(await s.end(), 0, s.said);

    const again = await start({ dir: s.dir }); // a second collector, by mistake
    assert.equal(await again.ended(), 1);
    assert.match(again.said, /there is a configuration already, and a computer has one collector/);
  } finally {
    await s.stop();
  }
});

test("without --start the page says what to type, and the command line the same", async () => {
  const s = await start();
  try {
    const page = await openPage(browser, sizes.laptop, await s.link());
    await answer(page, s, { sites: false });
    await next(page);
    await page.click(".write", { timeout: 30_000 });
    await heading(page, "已写好");
    assert.match(await page.textContent("main"), /gatehouse collect --config/);
    await inspect(page, "done-typed");
    assert.equal(await s.ended(), 0, s.said);
    assert.match(s.said, /sudo systemctl enable --now gatehouse-collect/);
    assert.ok(existsSync(join(s.dir, "etc/collect.yaml")));
    await page.context().close();
  } finally {
    await s.stop();
  }
});

test("a link that nobody opens is soon too old", async () => {
  const s = await start({ flags: ["--link-for", "2s"] });
  try {
    const old = await s.link();
    await until("a newer link", () => s.links().length > 1, 20_000);
    const late = await openPage(browser, sizes.laptop, old);
    await heading(late, "这个链接已过期");
    await inspect(late, "late", true);
    await late.context().close();
  } finally {
    await s.stop();
  }
});

test("a link opens once, in one browser, which goes on after the program was started again", async () => {
  const s = await start();
  try {
    const late = await openPage(browser, sizes.laptop, `http://127.0.0.1:${new URL(await s.link()).port}/#AAAA`);
    await heading(late, "链接不对");
    await inspect(late, "wrong-link", true);
    await late.goto("about:blank");
    await late.goto(`http://127.0.0.1:${s.at}/`);
    await heading(late, "请打开终端里显示的链接");
    await inspect(late, "no-link", true);

    const link = await s.link();
    const mine = await openPage(browser, sizes.laptop, link);
    await heading(mine, "县");
    await late.goto("about:blank");
    await late.goto(link); // another browser: it has other cookies
    await heading(late, "这个链接已在另一个浏览器里打开");
    await inspect(late, "used", true);
    await mine.goto("about:blank");
    await mine.goto(link); // the same browser goes on
    await heading(mine, "县");
    await late.context().close();

    // The program ends half-way, and is started again: the browser has kept what was written, and no file was.
    await mine.fill("[name=county]", "beihe");
    await next(mine);
    await heading(mine, "地址");
    assert.equal(await s.end(), 1);
    assert.match(s.said, /nothing was written/);
    assert.ok(!existsSync(join(s.dir, "etc")));
    await next(mine);
    await heading(mine, "设置程序没有应答");
    await inspect(mine, "cut", true);
    const anew = await start({ dir: s.dir, at: s.at });
    await mine.goto("about:blank");
    await mine.goto(await anew.link());
    await heading(mine, "县");
    assert.equal(await mine.inputValue("[name=county]"), "beihe");
    await anew.end();
    await mine.context().close();
  } finally {
    await s.stop();
  }
});

test("wrong files, a port that is taken, an InfluxDB that refuses: each is said, and can be mended", async () => {
  const refusing = createServer((_, r) => {
    r.statusCode = 401;
    r.end('{"code":"unauthorized","message":"unauthorized access"}');
  });
  const influx = await port();
  await new Promise((done) => refusing.listen(influx, "127.0.0.1", done));
  const s = await start();
  try {
    const page = await openPage(browser, sizes.laptop, await s.link());
    await answer(page, { ...s, desk: influx }, { sites: false });
    await page.click("button:has-text('上一步')");
    await heading(page, "门岗名册");
    await page.getByLabel("上传名册文件").check();
    for (const [name, text, what, looks] of [
      ["a.csv", "社区,楼栋,小区\na,b,c\n", /第 1 行 不认识的列“楼栋”.*第 1 行 缺少“网格”/s, "columns"],
      [
        "b.csv",
        `${table}东城社区,,丽景苑,gate-001,很多\n`,
        /第 4 行 “网格”是空的.*第 4 行 “很多”不是数字.*重复/s,
        "rows",
      ],
      ["sites.yaml", "county: qinghe\nnmae: x\n", /第 2 行 nmae: unknown key/, "yaml"],
      ["sites.xlsx", "PK\x03\x04.....", /Excel 工作簿/, "excel"],
      ["empty.csv", "", /文件是空的/, ""],
      ["large.csv", "x".repeat(10 << 20), /8 MB/, "large"],
    ]) {
      await choose(page, name, text);
      await until(name, async () => what.test((await page.innerText("fieldset")).replaceAll("\n", " ")));
      if (looks) await inspect(page, `sites-${looks}`, true);
    }
    await next(page);
    await wrong(page, "还没有选好名册文件");
    const posted = await page.evaluate(async () => {
      const r = await fetch("./api/sites?name=x.csv", { method: "POST", body: "x".repeat(10 << 20) });
      return r.status;
    });
    assert.equal(posted, 413, "the program takes what the page does not send");
    const gbk = Buffer.from("c9e7c7f82ccdf8b8f12cd0a1c7f80ab6abb3c7c9e7c7f82cb5dad2bbcdf8b8f12cc0f6beb0d4b70a", "hex");
    await page.setInputFiles("[name=file]", { name: "gbk.csv", mimeType: "text/csv", buffer: gbk });
    await page.locator(".good", { hasText: "1 个门岗" }).waitFor();
    await next(page);
    await heading(page, "数据");
    await page.getByLabel("InfluxDB：已经装好的").check();
    await page.fill("[name=influx-url]", `http://127.0.0.1:${influx}`);
    await page.fill("[name=influx-org]", "county");
    await page.fill("[name=influx-token]", "not-the-token");
    await page.click(".try");
    await wrong(page, "InfluxDB 不能用");
    await inspect(page, "influx", true);
    await page.fill("[name=influx-url]", "influx:8086");
    await next(page);
    await wrong(page, "write it as http://");
    await page.getByLabel("SQLite").check();
    await next(page);
    await wrong(page, "端口不能用");
    assert.match(await page.textContent(".failed"), /another program listens there/);
    await inspect(page, "port", true);
    await page.click("button:has-text('去改')");
    await heading(page, "地址");
    await page.fill("[name=port-desk]", String(s.desk));
    for (const at of ["门岗名册", "数据", "核对"]) {
      await next(page);
      await heading(page, at);
    }
    await page.waitForSelector(".write", { timeout: 30_000 });
    // What could be written a moment ago can't be any more; after it is mended it goes on.
    writeFileSync(join(s.dir, "etc"), "a file is in the way");
    await page.click(".write");
    await wrong(page, "没有写成");
    await inspect(page, "not-written", true);
    await page.click(".again");
    await wrong(page, "is a file");
    rmSync(join(s.dir, "etc"));
    await page.click(".again");
    await page.click(".write");
    await heading(page, "已写好");
    assert.ok(!readFileSync(join(s.dir, "etc/collect.yaml"), "utf8").includes("not-the-token"));
    assert.equal(await s.ended(), 0, s.said);
    assert.ok(!s.said.includes("not-the-token"));
    await page.context().close();
  } finally {
    await s.stop();
    refusing.close();
  }
});

test("a collector that does not start is said, with what to do", async () => {
  const s = await start({ flags: ["--start"] });
  try {
    const page = await openPage(browser, sizes.laptop, await s.link());
    await answer(page, s, { sites: false });
    await next(page);
    await page.waitForSelector(".write", { timeout: 30_000 });
    mkdirSync(join(s.dir, "var/county/desk.db"), { recursive: true }); // where its file belongs
    await page.click(".write");
    await heading(page, "文件已写好，但县中心没有启动");
    assert.match(await page.innerText("main"), /journalctl -u gatehouse-collect/);
    await inspect(page, "broken");
    assert.equal(await s.ended(), 1, s.said);
    await page.context().close();
  } finally {
    await s.stop();
  }
});

test("the page is for this computer only, on a port of its own, in folders that can be written", async () => {
  const s = await start();
  await s.link();
  const [taken, open] = [await start({ at: s.at }), await start({ flags: ["--listen", "0.0.0.0:18999"] })];
  assert.equal(await taken.ended(), 1);
  assert.match(taken.said, /another program listens there/);
  assert.equal(await open.ended(), 2);
  assert.match(open.said, /this computer only/);
  const [dir, programs] = ["first", "program"].map((name) => mkdtempSync(join(tmpdir(), `gatehouse-${name}-`)));
  for (const d of [dir, programs]) chmodSync(d, 0o755);
  const program = join(programs, "gatehouse"); // the folder of the sources may be closed to nobody
  copyFileSync(bin("gatehouse"), program);
  const nobody = await start({ dir, program, more: process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {} });
  if (process.getuid() !== 0) chmodSync(dir, 0o555);
  assert.equal(await nobody.ended(), 1, nobody.said);
  assert.match(nobody.said, /can't be written.*sudo gatehouse setup/s);
  for (const x of [s, taken, open, nobody]) await x.stop();
  rmSync(programs, { recursive: true });
});
