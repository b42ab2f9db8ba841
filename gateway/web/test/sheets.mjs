// What the guard opens over the screen: the keys that lead there, and what the agent has sent.
import { kioskStates, noon } from "./states.mjs";

const ago = (s) => new Date(noon - s * 1000).toISOString();
const states = Object.fromEntries(kioskStates().map((s) => [s.name, s.state]));

const notes = [
  ...["all-quiet", "somebody-waits", "called-no-answer", "device-trouble"],
  ...["hand-held-used", "supplies-low", "sealed-household", "delivery-expected"],
];
const known = ["medical", "fire", "known-person", "official", "supplies", "device-fault", "suspicious", "other"];
const reasons = [
  ...known.map((code) => ({ code })),
  ...["1", "2", "3", "4"].map((n) => ({ code: `own-${n}`, zh: `消防演习第${n}组，按通知进出`, en: `Fire drill ${n}` })),
];
const refused = (seq, look, more) => ({
  seq,
  look,
  at: ago(seq),
  class: "resident",
  direction: "in",
  stop: false,
  ...more,
});
export const people = [
  refused(20, "refuse", { screening_c: 36.5, reasons: reasons.slice(0, 8) }),
  refused(80, "pass", { screening_c: 36.7, reasons: reasons.slice(6, 8), stop: true }),
  refused(120, "unknown", { class: undefined, reasons }),
  refused(130, "retest", { direction: undefined, reasons: reasons.slice(0, 3) }),
  refused(190, "sealed", { direction: "out", reasons: reasons.slice(0, 1) }),
];

export const guards = ["east-1", "east-2"];
const checks = [{ device: "thermometer" }];
const lanes = [
  { device: "t1", lane: "东门入口" },
  { device: "t2", lane: "东门出口" },
];
export const on = { guards, on: "east-1", notes, overrides: people, checks };
const note = { from: "east-2", at: ago(30), notes: ["all-quiet"], open: [], hand: false };
const full = {
  ...{ from: "east-2", at: ago(30), notes, hand: true },
  open: ["help-called:doctor-101", "device-fault:reader", "journal-disk-low"],
  waits: [{ id: "e7", class: "resident", screening_c: 38.1, ready: ago(-300) }],
};
const entered = (name, more) => ({ ...states[name], view: { ...states[name].view, ...more } });

/** Each: name, what the agent sends, and the keys after that. */
export function sheetStates() {
  const duty = { ...states.idle, view: { ...states.idle.view, guard: "east-1" } };
  const menu = { ...duty, post: on };
  const all = {
    menu: [menu, "F2"],
    "menu-plain": [{ ...states.idle, post: { checks } }, "F2"],
    "menu-unmanned": [{ ...states.idle, post: { guards, checks: lanes } }, "F2"],
    guards: [{ ...states.idle, post: { guards, checks } }, "F2 F2"],
    "guards-many": [
      { ...states.idle, post: { guards: Array.from({ length: 20 }, (_, i) => `east-group-${i + 1}`) } },
      "F2 F2",
    ],
    "guards-more": [
      { ...states.idle, post: { guards: Array.from({ length: 20 }, (_, i) => `east-group-${i + 1}`) } },
      "F2 F2 F1 F1 F1 F1 F1 F1 F1 F2",
    ],
    pin: [{ ...states.idle, post: { guards } }, "F2 F2 F2 8 0"],
    "pin-long": [{ ...states.idle, post: { guards } }, "F2 F2 F2 8 0 5 3 8 0 5 3"],
    "pin-short": [{ ...states.idle, post: { guards } }, "F2 F2 F2 8 F1"],
    "pin-wait": [{ ...states.idle, post: { guards, wait: ago(-45) } }, "F2 F2 F2"],
    people: [menu, "F2 F2"],
    "people-none": [{ ...duty, post: { ...on, overrides: [] } }, "F2 F2"],
    why: [menu, "F2 F2 F2"],
    "why-stop": [menu, "F2 F2 F1 F2"],
    "why-many": [menu, "F2 F2 F1 F1 F2"],
    notes: [menu, "F2 F1 F2 F2 F1 F2"],
    leave: [menu, "F2 F1 F2 F2 F1 F2 F3"],
    "leave-nothing": [menu, "F2 F1 F2 F3"],
    note: [{ ...duty, post: { ...on, note } }, ""],
    "note-full": [{ ...duty, post: { ...on, note: full } }, ""],
    "note-last": [{ ...duty, post: { ...on, note: full } }, "F1"],
    asked: [{ ...duty, post: { ...on, asked: ago(-240) } }, ""],
    entry: [states["ambient-low"], "F1 3 6"],
    "entry-range": [states["ambient-low"], "F1 6 3 8"],
    "entry-ready": [states["ambient-low"], "F1 3 6 6 F2"],
    "entry-lanes": [entered("idle", { lanes: ["东门入口", "东门出口"] }), "F3 3 6 5 F1"],
    "entry-check": [states["check-contact"], "F1 3 6"],
  };
  return Object.entries(all).map(([name, [state, keys]]) => ({ name, state, keys: keys.split(" ").filter(Boolean) }));
}
