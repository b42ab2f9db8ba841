import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const read = (f) => JSON.parse(readFileSync(new URL(`../src/words/${f}`, import.meta.url)));
const [zh, en] = [read("zh.json"), read("en.json")];
const holes = (s) => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();

test("both languages have the same words, with the same values in them", () => {
  for (const part of ["kiosk", "desk", "setup"]) {
    assert.deepEqual(Object.keys(en[part]), Object.keys(zh[part]));
    for (const [key, text] of Object.entries(zh[part])) {
      assert.ok(text && en[part][key], `${part} ${key} is empty`);
      assert.deepEqual(holes(en[part][key]), holes(text), `${part} ${key}`);
    }
  }
});

test("Chinese is Chinese, and degrees are °C", () => {
  for (const part of ["kiosk", "desk", "setup"]) {
    for (const [key, text] of Object.entries(zh[part])) {
      assert.ok(!text.includes("℃") && !en[part][key].includes("℃"), `${key} has a glyph that some fonts lack`);
      if (!key.startsWith("lang") && !/^chart\.\d/.test(key)) assert.match(text, /[一-龥]/, `${part} ${key}: ${text}`);
      if (!key.startsWith("lang")) assert.doesNotMatch(en[part][key], /[一-龥]/, `${part} ${key}`);
    }
  }
});

test("every word that the code asks for is there", () => {
  for (const [part, dir] of [
    ["kiosk", "kiosk"],
    ["kiosk", "first"],
    ["desk", "desk"],
    ["setup", "setup"],
  ]) {
    const files = readdirSync(new URL(`../src/${dir}`, import.meta.url), { recursive: true });
    for (const f of files.filter((f) => /\.tsx?$/.test(f))) {
      const text = readFileSync(new URL(`../src/${dir}/${f}`, import.meta.url), "utf8");
      for (const [, key] of text.matchAll(/say\((?:w\(\), |w, |x\.w, )?"([\w.-]+)"/g))
        assert.ok(zh[part][key], `${f} asks for ${key}`);
    }
  }
});

test("each advice has words, and each word of one is asked for", () => {
  const sources = [
    "edge/ship/standing.go",
    "edge/status/troubles.go",
    "fact/alarm.go",
    "county/health/health.go",
    "county/collect/announce.go",
    "county/centre/reports.go",
    "county/centre/backup.go",
    "county/centre/certificates.go",
    "county/centre/disks.go",
    "county/desk/collector.go",
    "county/desk/registry.go",
    "county/desk/rules.go",
    "county/desk/troubles.go",
    "county/desk/upgrades.go",
  ].map((f) => readFileSync(new URL(`../../${f}`, import.meta.url), "utf8"));
  const asked = sources.flatMap((s) => [...s.matchAll(/Advise\(\s*"([\w.-]+)"[,)]/g)].map((m) => m[1]));
  assert.ok(asked.length > 9, `${asked.length} advices`);
  for (const code of asked) assert.ok(zh.desk[`advice.${code}`], `the desk has no word for ${code}`);
  for (const key of Object.keys(zh.desk).filter((k) => k.startsWith("advice."))) {
    const code = key.slice("advice.".length).replace(/^(device|upgrade-stopped)\..*/, "$1.");
    assert.ok(
      sources.some((s) => s.includes(`"${code}"`)),
      `nobody asks for ${key}`,
    );
  }
});

test("each reason for which an upgrade of gates stops by itself has words, and each word one", () => {
  const [said, named] = ["county/desk/upgrades.go", "county/versions/rollout.go"].map((f) =>
    readFileSync(new URL(`../../${f}`, import.meta.url), "utf8"),
  );
  const reasons = [...said.matchAll(/versions\.(Why\w+):/g)].map(
    ([, name]) => `advice.upgrade-stopped.${named.match(new RegExp(`\\b${name} += "([\\w-]+)"`))[1]}`,
  );
  const words = Object.keys(zh.desk).filter((k) => k.startsWith("advice.upgrade-stopped."));
  assert.deepEqual(reasons.sort(), words.sort());
});

test("the codes of the other side have words", () => {
  const codes = (file, re) =>
    [...readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8").matchAll(re)].map((m) => m[1]);
  const reasons = codes("gateway/fact/reason.go", /Reason\w+\s+Reason = "([\w-]+)"/g);
  assert.ok(reasons.length > 15, `${reasons.length} reasons`);
  for (const r of reasons) assert.ok(zh.desk[`reason.${r}`], `the desk has no word for ${r}`);
  const looks = codes("gateway/edge/kiosk/look.go", /Look\w+\s+Look = "([\w-]+)"/g);
  assert.ok(looks.length > 8);
  for (const l of looks) assert.ok(zh.kiosk[`look.${l}`], `the kiosk has no word for ${l}`);
  const actions = codes("gateway/edge/kiosk/look.go", /Action\w+\s+= "([\w-]+)"/g);
  assert.ok(actions.length > 8, `${actions.length} actions`);
  for (const a of actions) assert.ok(zh.kiosk[`action.${a}`], `no word for ${a}`);
  const alarms = codes("gateway/fact/alarm.go", /Alarm\w+\s+AlarmType = "([\w-]+)"/g);
  assert.ok(alarms.length > 15, `${alarms.length} alarms`);
  for (const t of alarms) assert.ok(zh.desk[`alert.${t}`], `the desk has no word for ${t}`);
  const ofAgents = alarms.slice(0, alarms.indexOf("gate-silent")); // that a hand-over may name
  for (const t of ofAgents) assert.ok(zh.kiosk[`open.${t}`], `the kiosk has no word for ${t}`);
  const why = codes("firmware-bridge/runs/run.go", /Reason\w+\s+= "([\w-]+)"/g);
  const grades = codes("firmware-bridge/runs/run.go", /Grade = "([\w-]+)"/g);
  const sources = codes("gateway/wire/machine.go", /Source\w+\s+= "([\w-]+)"/g);
  assert.ok(
    why.length > 12 && grades.length > 6 && sources.length > 4,
    `${why.length} ${grades.length} ${sources.length}`,
  );
  for (const w of why) assert.ok(zh.desk[`why.${w}`], `the desk has no word for ${w}`);
  for (const g of grades)
    assert.ok(zh.desk[`grade.${g}`] && zh.desk[`grade.${g}.text`], `the desk has no word for ${g}`);
  for (const x of sources) assert.ok(zh.desk[`source.${x}`], `the desk has no word for ${x}`);
  const kinds = codes("gateway/fact/trouble.go", /Trouble\w+\s+TroubleKind = "([\w-]+)"/g);
  assert.ok(kinds.length > 15, `${kinds.length} kinds of troubles`);
  for (const k of kinds) assert.ok(zh.desk[`trouble.${k}`], `the desk has no word for ${k}`);
  const acts = codes("gateway/county/audit/actions.go", /Action = "([\w-]+)"/g);
  assert.ok(acts.length > 20, `${acts.length} acts`);
  for (const a of acts) assert.ok(zh.desk[`audit.action.${a}`], `the desk has no word for ${a}`);
  const form = readFileSync(new URL("../src/desk/audit.tsx", import.meta.url), "utf8");
  for (const a of acts) assert.ok(form.includes(`"${a}",`), `the form of the audit can't be asked for ${a}`);
  const holes = codes("gateway/edge/journal/journal.go", /Reason\w+\s+= "([\w-]+)"/g);
  assert.ok(holes.length > 2, `${holes.length} reasons of holes`);
  for (const r of holes) assert.ok(zh.desk[`hole.${r}`], `the desk has no word for ${r}`);
});
