// Starts the real programs on simulated hardware, and a real Chromium.
import { spawn, execFile } from "node:child_process";
import { mkdtempSync, rmSync, readFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
export const bin = (name) => join(root, "bin", name);
const run = promisify(execFile);

export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** Waits until what() returns something, or fails with its name. */
export async function until(name, what, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const v = await what();
    if (v) return v;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${name}`);
    await sleep(50);
  }
}

/**
 * A port on which nothing listens. It is below those that the system gives to outgoing connections (from 32768 on
 * Linux), one of which could take it before the program that is meant to listen there.
 */
export async function port() {
  for (;;) {
    const port = 16_000 + Math.floor(Math.random() * 16_000);
    const s = createServer();
    const free = await new Promise((r) => s.once("error", () => r(false)).listen(port, "127.0.0.1", () => r(true)));
    if (!free) continue;
    await new Promise((r) => s.close(r));
    return port;
  }
}

/** A demo of a few gates, where nobody comes unless the test sends them. */
export async function startDemo({ gates = 20, speed = "0.001" } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "gatehouse-web-"));
  const [broker, desk, kiosk, stage] = [await port(), await port(), await port(), await port()];
  const p = spawn(
    bin("simulator"),
    [
      "demo",
      "--gatehouse",
      bin("gatehouse"),
      "--dir",
      join(dir, "demo"),
      "--gates",
      String(gates),
      "--speed",
      speed,
      "--listen",
      `127.0.0.1:${broker}`,
      "--desk",
      `127.0.0.1:${desk}`,
      "--kiosk",
      `127.0.0.1:${kiosk}`,
      "--stage",
      `127.0.0.1:${stage}`,
      "--scenes-every",
      "0s",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let out = "";
  p.stdout.on("data", (b) => {
    out += b;
  });
  p.stderr.on("data", (b) => {
    out += b;
  });
  const demo = {
    dir: join(dir, "demo"),
    broker,
    desk: `http://127.0.0.1:${desk}`,
    kiosk: `http://127.0.0.1:${kiosk}`,
    gate: "",
    link: "",
    poke: async (gate, what) => (await run(bin("simulator"), ["poke", gate, what, "--dir", join(dir, "demo")])).stdout,
    log: () => out,
    async stop() {
      p.kill("SIGINT");
      await until("the demo's end", () => p.exitCode !== null || p.signalCode !== null, 30_000);
      rmSync(dir, { recursive: true, force: true });
    },
  };
  try {
    await until(
      "the demo's announcement",
      () => {
        if (p.exitCode !== null) throw new Error(out);
        return out.includes("Ctrl-C ends");
      },
      60_000,
    );
    demo.link = /(http\S+setup#\S+)/.exec(out)[1];
    demo.gate = /guard's screen of (\S+)\)/.exec(out)[1];
    await until("the kiosk", () =>
      fetch(`${demo.kiosk}/healthz`).then(
        (r) => r.ok,
        () => false,
      ),
    );
    const control = join(demo.dir, "control.sock");
    await until("the county", () => existsSync(control));
  } catch (e) {
    p.kill("SIGKILL");
    throw new Error(
      `${e.message}\n${out}\n` +
        (existsSync(join(demo.dir, "collect.log")) ? readFileSync(join(demo.dir, "collect.log"), "utf8") : ""),
    );
  }
  return demo;
}

/** Chromium without network but this computer; a silent one plays nothing before a gesture. */
export async function startBrowser({ silent = false, more = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...(silent ? [] : ["--autoplay-policy=no-user-gesture-required"]),
      ...more,
    ],
  });
}

/** A page that records its errors, and fails on a request to another host. */
export async function openPage(browser, { width, height, lang = "zh", trusting = false }, url) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: "zh-CN",
    timezoneId: "Asia/Shanghai",
    ignoreHTTPSErrors: trusting, // a certificate that the county has made, and nobody has installed
  });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(`page: ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error" && !/status of (401|403|404|409|422|429)|WebSocket|ERR_CONNECTION/.test(m.text()))
      page.problems.push(`console: ${m.text()}`);
  });
  const home = new URL(url).host;
  page.on("request", (r) => {
    const u = new URL(r.url());
    if (u.protocol !== "data:" && u.host !== home) page.problems.push(`request to ${r.url()}`);
  });
  await page.addInitScript((l) => {
    if (!localStorage.getItem("gatehouse.lang")) localStorage.setItem("gatehouse.lang", l);
  }, lang);
  await page.goto(url);
  return page;
}

export const sizes = {
  kiosk: { width: 1024, height: 600 },
  small: { width: 800, height: 480 },
  wide: { width: 1920, height: 1080 },
  laptop: { width: 1366, height: 768 },
};
export const password = "correct horse battery";
