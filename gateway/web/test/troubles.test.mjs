// The guard's screen and the desk in every trouble of HEALTH.md, without programs
// behind them: the server's frames are made here, so that each trouble takes no time.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, fits, shot } from "./look.mjs";
import { home, openPlayed } from "./played.mjs";
import { sizes, startBrowser, until } from "./world.mjs";

const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const words = Object.fromEntries(["zh", "en"].map((l) => [l, JSON.parse(file(`../src/words/${l}.json`))]));
const [, atAgent, atCollector] = file("../../../deploy/HEALTH.md").split(/^## At the /m);
const rows = (text) => [...text.matchAll(/^\| `([\w-]+)`(.*)$/gm)].map(([, kind, rest]) => ({ kind, rest }));
const at = "2020-02-14T06:30:00Z";

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const open = (...args) => openPlayed(browser, ...args);

const lamps = { thermometer: "ok", reader: "ok", county: true, pending: 1284, kept: true };
const gate = { title: "丽景苑 · 东门", agent: "gate-001", version: "test" };
const began = () => new Date(Date.now() - 754_000).toISOString();
const idle = (standing = []) => ({ look: "idle", id: "", actions: ["shift-test", "muted"], strips: [], standing });
const red = (look, more) => ({
  ...{ look, id: `${look} ${JSON.stringify(more)}`, since: began(), actions: ["noted"], strips: [] },
  ...more,
});

/** What the guard's screen shows of a trouble: at once, and after the guard has noted it. */
function kioskStates() {
  const out = rows(atAgent)
    .filter(({ rest }) => rest.startsWith(" | not green"))
    .map(({ kind }) => ({
      name: kind,
      view: red("offline", { kind }),
      lamps: { ...lamps, county: false },
      bad: ["county"],
    }));
  assert.ok(out.length > 6, `${out.length} troubles with a lamp that is not green`);
  for (const kind of ["thermometer", "reader"])
    for (const gone of [true, false])
      out.push({
        name: `${kind}-${gone ? "gone" : "fault"}`,
        view: red("fault", { kind, gone }),
        lamps: { ...lamps, [kind]: gone ? "gone" : "fault" },
        bad: [kind],
      });
  out.push({
    name: "doubtful",
    view: red("fault", { kind: "doubtful" }),
    lamps: { ...lamps, thermometer: "fault" },
    bad: ["thermometer"],
  });
  out.push({
    name: "journal",
    view: red("fault", { kind: "journal" }),
    lamps: { ...lamps, kept: false },
    bad: ["host"],
  });
  return out.flatMap((s) => [
    s,
    { ...s, name: `${s.name}-noted`, view: idle([{ look: s.view.look, kind: s.view.kind, since: s.view.since }]) },
  ]);
}

test("the guard's screen says each trouble, and no lamp is green that should not be", async () => {
  const states = kioskStates();
  for (const lang of ["zh", "en"]) {
    const page = await open("kiosk", sizes.kiosk, lang, { view: idle(), lamps, gate, recent: [] });
    await until("green lamps", async () => (await page.$$("#lamps .ok")).length === 4);
    const said = new Map();
    for (const s of states) {
      page.put({ view: s.view, lamps: s.lamps, gate, recent: [] });
      const names = s.bad.map((lamp) => words[lang].kiosk[`lamp.${lamp}`]);
      await until(`the lamps of ${s.name}`, async () => {
        const bad = await page.$$eval("#lamps .bad", (list) => list.map((e) => e.textContent));
        return JSON.stringify(bad) === JSON.stringify(names);
      });
      const noted = s.name.endsWith("-noted");
      await until(s.name, async () => (await page.getAttribute("body", "class")).startsWith(noted ? "light" : "red"));
      const where = noted ? "#standing" : "#verdict"; // the standing ones are drawn after the picture
      await until(`since when ${s.name} holds`, async () => /1[2-9]:\d\d/.test(await page.textContent(where)));
      const text = await page.textContent(where);
      assert.match(text, lang === "zh" ? /[一-龥]{4}/ : /[a-z]{4}/, s.name);
      if (!noted)
        said.set(await page.textContent("#headline"), (said.get(await page.textContent("#headline")) ?? 0) + 1);
      for (const [name, size] of [
        ["1024", sizes.kiosk],
        ["800", sizes.small],
      ]) {
        await page.setViewportSize(size);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await fits(
          page,
          `${s.name} ${lang} ${name}`,
          "#headline, #note, #order, #line, #standing li, #standing li > *, #buttons button, header > *, #lamps li",
        );
        await shot(page, `trouble-${s.name}-${lang}-${name}`);
      }
      await page.setViewportSize(sizes.kiosk);
    }
    assert.ok(said.size >= 8, `only ${said.size} different headlines: ${[...said.keys()]}`);
    await accessible(page, `the guard's screen in ${lang}`);
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith(`request to ${home}/`)),
      [],
    );
    await page.context().close();
  }
});

const why = "connect to ssl://broker.county.example:8883: dial tcp 10.20.30.40:8883: connect: connection refused";
const values = {
  ...{ why, n: "7", of: "12", gates: "gate-001 (no-answer), gate-002 (no-answer) and 5 more", by: "1h2m3s" },
  ...{ part: "reports", what: "desk.tls", on: "2020-02-20", county: "qinghe", device: "reader-in" },
  ...{ passed: "1024", failed: "17408" },
};

/** Troubles as the programs send them: one for each advice of a kind. The desk never gets those without one. */
function troubles(list, problem) {
  const advices = Object.keys(words.zh.desk).filter((k) => k.startsWith("advice."));
  return list.flatMap(({ kind, rest }) => {
    const found = advices.map((k) => k.slice("advice.".length)).filter((a) => a === kind || a.startsWith(`${kind}.`));
    return found.map((advice) => ({
      ...{ kind, advice, problem: problem && rest.startsWith(" (problem)"), since: at, text: `what to try: ${why}` },
      with: new Proxy({ ...values }, { get: (o, name) => o[name] ?? `gatehouse/v1/qinghe/gate-001/${String(name)}` }),
    }));
  });
}

/** The values of the words of an advice, as an object that can be sent. */
const plain = (t) => ({
  ...t,
  with: Object.fromEntries(
    [...(words.zh.desk[`advice.${t.advice}`] ?? "").matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, t.with[name]]),
  ),
});

test("the desk says each trouble of the county and what to try, in its language", async () => {
  const all = troubles(rows(atCollector), true).map(plain);
  for (const lang of ["zh", "en"]) {
    const page = await open("desk", sizes.laptop, lang, {});
    for (const t of all) {
      page.put({ centre: { store: "SQLite", catching: false, version: "test", troubles: [t] }, ...nobody });
      if (t.kind === "quarantine" || t.advice === "gates-silent") continue; // they are counted
      await until(t.advice, async () => (await page.$$(".banner")).length === 1);
      const name = words[lang].desk[`trouble.${t.kind}`];
      await until(name, async () => (await page.textContent(".banner")).startsWith(name));
      const text = await page.textContent(".banner");
      assert.ok(!text.includes("{") && !text.includes("what to try:"), `${t.advice}: ${text}`);
      if (lang === "zh") assert.match(text.slice(name.length), /[一-龥]{2}/, text);
      assert.equal(await page.getAttribute(".banner", "role"), t.problem ? "alert" : "status");
    }
    const bars = all.filter((t, i) => all.findIndex((x) => x.kind === t.kind) === i);
    page.put({ centre: { store: "SQLite", catching: false, version: "test", troubles: bars }, ...nobody });
    await until("all bars", async () => (await page.$$(".banner")).length > 8);
    for (const [name, size] of [
      ["1366", sizes.laptop],
      ["1920", sizes.wide],
    ]) {
      await page.setViewportSize(size);
      await fits(page, `bars ${lang} ${name}`, ".banner");
      await shot(page, `trouble-desk-${lang}-${name}`);
    }
    await accessible(page, `the desk's bars in ${lang}`);
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith(`request to ${home}/`)),
      [],
    );
    await page.context().close();
  }
});

const nobody = { totals: { hour: 0, verdicts: {}, quarantined: 0, lost: 0 }, feed: [], runs: { version: 1 } };

test("a gate's page says each trouble of its agent and what to try, in its language", async () => {
  const all = troubles(rows(atAgent), false).map(plain);
  const tile = { agent: "gate-001", state: "online", heard: new Date().toISOString(), backlog: 1284, version: "test" };
  for (const lang of ["zh", "en"]) {
    const page = await open("desk", sizes.laptop, lang, { "g:gate-001": { ...tile, troubles: all }, ...nobody });
    await page.evaluate(() => {
      history.pushState(null, "", "/gates/gate-001");
      dispatchEvent(new PopStateEvent("popstate"));
    });
    await until("the troubles", async () => (await page.$$("dd.failed p")).length === all.length);
    const texts = await page.$$eval("dd.failed p", (list) => list.map((e) => e.textContent));
    for (const [i, t] of all.entries()) {
      const name = words[lang].desk[`trouble.${t.kind}`] ?? words[lang].desk[`alert.${t.kind}`];
      assert.ok(name && texts[i].startsWith(name), `${t.kind}: ${texts[i]}`);
      assert.ok(!texts[i].includes("{") && !texts[i].includes("what to try:"), texts[i]);
    }
    await fits(page, `the gate's page in ${lang}`, "dd.failed p");
    await shot(page, `trouble-gate-${lang}-1366`);
    await accessible(page, `the gate's page in ${lang}`);
    await page.context().close();
  }
});
