// Figures against their limits, for make bench: how fast, how heavy, how steady.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bin, goBench, over, quantile, runToEnd, say, spent } from "./figures.mjs";
import { openPage, password, port, sizes, sleep, startBrowser, startDemo, until } from "./test/world.mjs";

async function login(page) {
  await page.fill("[name=name]", "bench");
  await page.fill("[name=password]", password);
  await page.click("form.login button[type=submit]");
  await page.waitForSelector(".tile");
}

for (const name of ["kiosk", "desk"]) {
  const all = ["html", "js", "css"].map(
    (x) => gzipSync(readFileSync(new URL(`dist/${name}.${x}`, import.meta.url)), { level: 9 }).length,
  );
  say(`${name}, gzip`, all.reduce((a, b) => a + b) / 1000, "kB", name === "kiosk" ? 40 : 150, 1);
}

const decide = goBench("./gateway/policy/engine", "^BenchmarkDecide$", "200000x");
say("a decision with 60,000 people", decide("BenchmarkDecide ns/op") / 1000, "µs", 50, 1);
const load = goBench("./gateway/policy", "^BenchmarkParseRoster$", "3x");
say("policy and roster of 60,000 people loaded", load("BenchmarkParseRoster ns/op") / 1e9, "s", 1, 2);
// The program as it is released, at a gate: its budgets.
const start = goBench("./simulator/county", "^BenchmarkStart$", "1x");
const budget = (gate, unit) => start(`BenchmarkStart/${gate} ${unit}`);
say("the program, as released", budget("compound", "MB-program"), "MB", 40, 1);
for (const [gate, people, most, soon] of [
  ["compound", "its compound's people", 30, 1],
  ["60000", "60,000 people", 60, 2],
]) {
  say(`a gate, ${people}: start to first reading, median`, budget(gate, "s-to-reading"), "s", soon, 2);
  say("the slowest of them", budget(gate, "s-to-reading-worst"), "s", undefined, 2);
  say("resident, at rest", budget(gate, "MB-Rss"), "MB", most, 1);
  say("of that the process's own, and of files", ownAndFiles(gate), "MB");
  say("the most that it had", budget(gate, "MB-peak"), "MB", 70, 1);
  say("held to 64 MB, pages of files too: start to passage", budget(gate, "s-to-passage-64MB"), "s", 10, 1);
}

function ownAndFiles(gate) {
  const own = budget(gate, "MB-Anonymous");
  return `${own.toFixed(1)} + ${(budget(gate, "MB-Rss") - own).toFixed(1)}`;
}
const swap = goBench("./simulator/county", "^BenchmarkRulesReceived$", "1x");
say("reading to verdict, while rules of 60,000 people come, p95", swap("BenchmarkRulesReceived p95-ms"), "ms", 50, 1);
say("the longest", swap("BenchmarkRulesReceived max-ms"), "ms", 50, 1);
say("from their publication until they are in force", swap("BenchmarkRulesReceived s-to-force"), "s", 30, 1);
say("the most memory meanwhile, old and new rules", swap("BenchmarkRulesReceived MB-peak"), "MB", 100, 1);
say("and after that", swap("BenchmarkRulesReceived MB-after"), "MB", undefined, 1);

const browser = await startBrowser({ more: ["--js-flags=--expose-gc", "--enable-precise-memory-info"] });
const dir = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
let demo, collector;
let log = "";

/** The last lines of what the programs have printed. */
function lastLines() {
  const tail = (name, text) => `${name} ends with:\n  ${text.trim().split("\n").slice(-12).join("\n  ")}`;
  const collect = demo && join(demo.dir, "collect.log");
  return [
    demo && tail("the demo", demo.log()),
    collect && existsSync(collect) && tail("its collector's log", readFileSync(collect, "utf8")),
    collector && tail("the collector's log", log),
  ]
    .filter(Boolean)
    .join("\n");
}

// Every wait has a limit of its own; this one is for what should not wait.
const limit = 20 * 60_000;
const watchdog = setTimeout(() => {
  console.error(`the figures are not done after ${limit / 60_000} minutes\n${lastLines()}`);
  collector?.kill("SIGKILL");
  process.exit(1);
}, limit);
try {
  demo = await startDemo({ gates: 184, speed: "20" });
  const kiosk = await openPage(browser, sizes.kiosk, demo.kiosk);
  await (await kiosk.context().newCDPSession(kiosk)).send("Emulation.setCPUThrottlingRate", { rate: 4 });
  for (let i = 0; i < 25; i++) {
    await demo.poke(demo.gate, "pass");
    // Somebody whom the gate measures badly gives none.
    await until("a verdict", () => kiosk.evaluate((n) => window.gatehouse.latencies.length > n, i), 30_000).catch((e) =>
      console.error(`person ${i + 1}: ${e.message}`),
    );
  }
  const lat = await kiosk.evaluate(() => window.gatehouse.latencies);
  if (lat.length < 20) throw new Error(`of 25 people only ${lat.length} got a verdict on the screen`);
  say(`verdict to pixels, processor throttled 4x, p50 of ${lat.length}`, quantile(lat, 0.5), "ms");
  say("verdict to pixels, processor throttled 4x, p95", quantile(lat, 0.95), "ms", 100);
  await kiosk.context().close();

  const desk = await openPage(browser, sizes.wide, demo.link);
  await login(desk);
  await desk.evaluate(() => {
    window.bytes = 0;
    window.sockets = Array.from({ length: 49 }, () => {
      const s = new WebSocket(`ws://${location.host}/live`);
      s.onmessage = (m) => {
        window.bytes += m.data.length;
      };
      return s;
    });
  });
  await sleep(10_000);
  const [a, c] = [spent(demo.dir), spent(`collect --config ${demo.dir}`)];
  await sleep(20_000);
  say("50 desks while the county of 184 gates runs, all processes", (spent(demo.dir) - a) / 20, "cores", 1, 2);
  say("of that the collector", (spent(`collect --config ${demo.dir}`) - c) / 20, "cores", undefined, 2);
  await desk.context().close();

  // 50,000 passages, as the agent would send them, on the real page. They are
  // made inside it: a socket that Playwright plays keeps every message.
  const soak = await browser.newContext({ viewport: sizes.kiosk });
  const page = await soak.newPage();
  await page.addInitScript(() => {
    window.WebSocket = class {
      static OPEN = 1;
      readyState = 1;
      constructor() {
        window.socket = this;
      }
      send() {}
      close() {}
    };
    window.feed = async (n, count) => {
      const lamps = { thermometer: "ok", reader: "ok", county: true, pending: 0, kept: true };
      const looks = ["pass", "pass", "pass", "invalid", "fever", "idle"];
      for (const end = n + count; n < end; n++) {
        const [at, look, t] = [new Date().toISOString(), looks[n % looks.length], 36 + (n % 20) / 10];
        const recent = Array.from({ length: 5 }, (_, i) => ({
          seq: n - i,
          at,
          look: "pass",
          screening_c: t,
          direction: "in",
        }));
        const view = {
          look,
          id: `p${n}`,
          since: at,
          screening_c: look === "idle" ? undefined : t,
          reasons: ["too-cold"],
          class: "resident",
          direction: "in",
          actions: [],
          strips: [],
          standing: [],
          queue: [],
          unanswered: 0,
          sound: { fever: "fever", idle: "", invalid: "amber" }[look] ?? "pass",
        };
        window.socket.onmessage({
          data: JSON.stringify({ e: "soak", n: n + 1, at, [n === 0 ? "all" : "set"]: { lamps, recent, view } }),
        });
        if (n % 250 === 0) await new Promise((r) => setTimeout(r));
      }
    };
  });
  await page.goto(demo.kiosk);
  await demo.stop(); // the page has all that it needs, and 184 gates would take the processor from it
  demo = undefined;
  const heap = () =>
    page.evaluate(async () => {
      for (let i = 0; i < 4; i++) {
        window.gc();
        await new Promise((r) => setTimeout(r, 50));
      }
      return [performance.memory.usedJSHeapSize, document.querySelectorAll("*").length];
    });
  await page.evaluate(() => window.feed(0, 2000));
  const [before, nodes] = await heap();
  await page.evaluate(() => window.feed(2000, 50_000));
  const [later, nodesLater] = await heap();
  const last = await page.evaluate(() => document.querySelector("#recent li").textContent);
  if (!last.startsWith("37.9")) throw new Error(`the page took no passages: ${last}`);
  say("kiosk, heap growth over 50,000 passages", (later - before) / 1e6, "MB", 10, 1);
  say("kiosk, elements before and after", `${nodes} ${nodesLater}`);
  await soak.close();

  // The desk on a month: 184 gates, some 470,000 passages.
  console.log(runToEnd("simulator", ["history", "--dir", join(dir, "county"), "--days", "30"]));
  const [broker, home] = [await port(), `127.0.0.1:${await port()}`];
  writeFileSync(
    join(dir, "collect.yaml"),
    "county: qinghe\ndir: county\nsites: county/sites.yaml\n" +
      `broker: {embedded: {listen: "127.0.0.1:${broker}"}}\ndesk: {listen: "${home}"}\n`,
  );
  const made = Date.now();
  collector = spawn(bin("gatehouse"), ["collect", "--config", join(dir, "collect.yaml")]);
  collector.stderr.on("data", (b) => {
    log += b;
  });
  await until(
    "the desk to catch up",
    () => {
      if (collector.exitCode !== null || collector.signalCode !== null)
        throw new Error(`the collector ended (${collector.exitCode ?? collector.signalCode})`);
      return log.includes("caught up with the store");
    },
    180_000,
  );
  say("desk made anew from 30 days", (Date.now() - made) / 1000, "s", undefined, 1);
  // The first user's link: it is printed to a terminal only.
  const link = readFileSync(join(dir, "county/setup-link"), "utf8").trim();
  const month = await openPage(browser, sizes.wide, link);
  await login(month);
  const paints = [];
  const firsts = [];
  for (let i = 0; i < 5; i++) {
    await month.goto(`http://${home}/`);
    await month.waitForSelector(".chart rect");
    paints.push(await month.evaluate(() => performance.now()));
    firsts.push(await month.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
  }
  say("desk, first paint with 30 days, worst of 5", Math.max(...firsts), "ms");
  say("desk, load to tiles and chart with 30 days, worst of 5", Math.max(...paints), "ms", 1000);
  await month.click(".chartbox button:nth-child(3)");
  const t0 = Date.now();
  await month.waitForFunction(() => document.querySelectorAll(".chart rect").length > 40);
  say("desk, chart of 30 days after the click", Date.now() - t0, "ms");

  // A run of 20,000 points, none of which can be left out of its path.
  const zigzag = Array.from({ length: 20_000 }, (_, i) =>
    [
      1581660000 + i * 3,
      (35.9 + (i % 200) * 2e-5).toFixed(6),
      (115.1 + Math.floor(i / 200) * 5e-5 + (i % 2) * 4e-5).toFixed(6),
      5 + (i % 7) / 10,
    ].join(","),
  );
  writeFileSync(join(dir, "long.csv"), `time,lat,lon,flow_lpm\n${zigzag.join("\n")}\n`);
  const sent = Date.now();
  runToEnd("gatehouse", [
    "import",
    "run",
    join(dir, "long.csv"),
    "--machine",
    "fogger-30",
    "--crs",
    "WGS-84",
    "--county",
    "qinghe",
    "--broker",
    `tcp://127.0.0.1:${broker}`,
  ]);
  await month.goto(`http://${home}/machines/fogger-30`);
  const href = await month.waitForSelector("tbody a", { timeout: 60_000 }).then((a) => a.getAttribute("href"));
  say("import of 20,000 points to its run on the desk", (Date.now() - sent) / 1000, "s", undefined, 1);
  const opens = [];
  for (let i = 0; i < 5; i++) {
    await month.goto(`http://${home}${href}`);
    await month.waitForSelector(".map path.wet");
    opens.push(await month.evaluate(() => performance.now()));
  }
  const drawn = await month.$eval(".map path.way", (p) => p.getAttribute("d").split(/[ML]/).length - 1);
  say(`desk, a run's page of ${drawn} drawn points, worst of 5`, Math.max(...opens), "ms", 1000);
} catch (e) {
  throw new Error(`${e.message}\n${lastLines()}`, { cause: e });
} finally {
  clearTimeout(watchdog);
  await browser.close();
  await demo?.stop();
  collector?.kill("SIGTERM");
  await sleep(500);
  rmSync(dir, { recursive: true, force: true });
}
if (over.length > 0) {
  console.error(`over their limits:\n  ${over.join("\n  ")}`);
  process.exit(1);
}
