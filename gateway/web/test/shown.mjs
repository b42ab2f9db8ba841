// The pictures of the manual: what each shows, and how it is brought there. `make pictures` draws them, and
// manual.test.mjs asks whether they still show what the screens say.
import { createHash } from "node:crypto";
import { laidOut } from "./look.mjs";
import { openPlayed } from "./played.mjs";
import { sheetStates } from "./sheets.mjs";
import { kioskStates, noon } from "./states.mjs";
import { sizes, until } from "./world.mjs";

const ago = (s) => new Date(noon - s * 1000).toISOString();
const states = Object.fromEntries(kioskStates().map((s) => [s.name, s.state]));
const sheets = Object.fromEntries(sheetStates().map((s) => [s.name, s]));

const names = ["丽景苑", "锦昌苑", "西关小区", "育才家园", "滨河花园", "供销社家属院"];
const gates = names.map((name, i) => ({ id: `k${i + 1}`, name, gates: [`gate-00${i + 1}`] }));
const grid = (id, under) => ({ id, name: `第${id}网格`, under });
const tree = {
  id: "qinghe",
  name: "清河县",
  under: [
    { id: "c1", name: "城关社区", under: [grid("一", gates.slice(0, 2)), grid("二", gates.slice(2, 3))] },
    { id: "c2", name: "南关社区", under: [grid("三", gates.slice(3))] },
  ],
};
const alert = (id, agent, type, level, more) => ({ id, agent, type, level, at: ago(40 * id), ...more });
const alerts = [
  alert(1, "gate-001", "fever", "red", { screening_c: 38.4, guard: "retest" }),
  alert(2, "gate-003", "help-called", "red", { lasts: true, call: { role: "doctor", state: "asked", waits: ago(80) } }),
  alert(3, "gate-005", "gate-silent", "red", { lasts: true }),
  alert(4, "gate-002", "device-doubtful", "amber", { lasts: true, device: "thermometer" }),
  alert(5, "gate-004", "check-due", "amber", { lasts: true, device: "thermometer" }),
];
const centre = { store: "SQLite", catching: false, stored: ago(1), version: "test" };
const passage = (seq, agent, verdict, t, reasons) => ({
  ...{ journal: "j", seq, at: ago(seq), agent, verdict, screening_c: t, ambient_c: 17.5, reasons },
  ...{ direction: "in", class: "resident" },
});
const tiles = gates.map(({ gates: [agent] }, i) => [
  `g:${agent}`,
  { agent, state: i === 4 ? "silent" : "online", heard: ago(i === 4 ? 130 : 1), backlog: 0, version: "test" },
]);
const desk = {
  ...{ tree, centre, totals: { hour: 0, verdicts: { pass: 212 }, quarantined: 0, lost: 0 }, runs: { version: 1 } },
  feed: [
    passage(3, "gate-002", "pass", 36.6, ["normal"]),
    passage(9, "gate-004", "invalid", 33.8, ["too-cold"]),
    passage(40, "gate-001", "fever", 38.4, ["fever"]),
  ],
  ...Object.fromEntries(tiles),
  ...Object.fromEntries(alerts.map((a) => [`a:${a.id}`, a])),
};
const run = (machine, name, grade, litres, reasons) => ({
  ...{ machine, name, type: "drone", run: `${machine}-1`, state: "closed", source: "mavlink", operator: "" },
  ...{ start: ago(5400), end: ago(4200), sorties: 2, on_s: 1160, distance_m: 3480, litres, tank_l: litres },
  ...{ grade, reasons },
});
const runs = [
  run("drone-1", "无人机一号", "proven", 15.2, ["flow-and-tank-agree"]),
  run("drone-2", "无人机二号", "dry", 0.1, ["nothing-flowed"]),
  run("fogger-1", "雾炮车一号", "measured", 820, ["no-tank-sensor"]),
];
const machines = runs.map((r, i) => [
  `m:${r.machine}`,
  {
    ...{ machine: r.machine, name: r.name, type: r.type, state: ["working", "idle", "gone"][i], agent: "depot-1" },
    ...{ heard: ago(i === 2 ? 7200 : 2), battery_pct: 76, tank_pct: 41, last: r },
  },
]);

/** A part of the desk: its picture is of that alone, where a selector names it. */
const ofDesk = (name, path, more = {}) => ({ name: `desk-${name}`, page: "desk", state: desk, path, ...more });
const ofKiosk = (name, state, keys = []) => ({ name: `kiosk-${name}`, page: "kiosk", state, keys });

export const shown = [
  ofKiosk("idle", states.idle),
  ofKiosk("fever", states.fever),
  { ...ofKiosk("cut", states.idle), awaits: "body.cut" },
  ofKiosk("menu", sheets.menu.state, sheets.menu.keys),
  ofKiosk("called", states["called-seen"]),
  ofDesk("overview", "/"),
  ofDesk("trouble", "/", {
    state: {
      ...desk,
      centre: {
        ...centre,
        troubles: [
          {
            ...{ kind: "store-refuses", problem: true, since: ago(90), text: "" },
            ...{ advice: "store-refuses.county", with: { why: "no space left on device" } },
          },
        ],
      },
    },
    part: ".banner",
  }),
  ofDesk("machines", "/machines", { state: { ...desk, ...Object.fromEntries(machines) }, api: { "/api/runs": runs } }),
];

/** Opens what a picture shows, in a language; returns the page. The picture is of the element of `part`, or all. */
export async function openShown(browser, s, lang) {
  const size = s.page === "kiosk" ? sizes.kiosk : { width: 1180, height: 720 };
  const page = await openPlayed(browser, s.page, size, lang, s.state, noon);
  for (const [path, json] of Object.entries(s.api ?? {}))
    await page.route(`**${path}*`, (route) => route.fulfill({ json }));
  if (s.path) {
    await page.evaluate((to) => {
      history.pushState(null, "", to);
      dispatchEvent(new PopStateEvent("popstate"));
    }, s.path);
    await until(s.name, () => page.$("footer"));
    if (s.part) await page.waitForSelector(s.part);
    if (s.api) await page.waitForSelector("tbody tr");
  } else await page.waitForSelector(s.awaits ?? "body:not(.cut)");
  await page.evaluate((keys) => {
    for (const key of keys) document.dispatchEvent(new KeyboardEvent("keydown", { key }));
  }, s.keys ?? []);
  await until("keys that can be pressed", () => page.evaluate(() => !document.querySelector("#buttons :disabled")));
  await laidOut(page);
  return page;
}

/** The words of what is shown, without numbers, which tell the time: their hash is kept beside the picture. */
export async function wordsOf(page, s) {
  const text = await page.evaluate((part) => document.querySelector(part).innerText, s.part ?? "body");
  const words = text
    .replace(/\d[\d:.,]*/g, "#")
    .replace(/\s+/g, " ")
    .trim();
  return createHash("sha256").update(words).digest("hex").slice(0, 16);
}
