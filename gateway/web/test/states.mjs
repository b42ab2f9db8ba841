// Every state of the guard's screen, as the agent sends it. Who adds a state adds it here: states.test.mjs walks over
// all of them, in both languages and at both sizes.
/** When the states are: by day, because the screen is dimmed at night. */
export const noon = Date.parse("2020-02-14T06:30:00Z");
const ago = (s) => new Date(noon - s * 1000).toISOString();

export const lamps = { thermometer: "ok", reader: "ok", county: true, pending: 0, kept: true };
export const contacts = [
  { role: "county", phone: "0000 000 1100" },
  { role: "it", phone: "0000 000 1133" },
];
export const gate = { title: "丽景苑 · 东门", agent: "gate-001", version: "test", contacts };

const view = (look, more = {}) => ({
  ...{ look, id: look, since: ago(3), actions: [], strips: [], standing: [], queue: [], unanswered: 0 },
  ...more,
});
const idle = (more) => view("idle", { id: "", since: undefined, actions: ["shift-test", "menu", "enter"], ...more });
const who = { class: "resident", direction: "in" };
const person = { class: "stair-head", shown: "12栋13单元 欧阳**", direction: "out" }; // as long as it may be
const soon = (s = 8) => ({ since: ago(2), until: ago(-s) });

/** A red view, which is the first of n alarms. */
const red = (look, n, more = {}) => {
  const v = view(look, { ...who, sound: look, ...more });
  const first = { id: v.id, look, kind: v.kind, screening_c: v.screening_c, since: v.since };
  const others = [
    { id: "o1", look: "unknown", since: ago(70) },
    { id: "o2", look: "fever", screening_c: 37.6, since: ago(300) },
    { id: "o3", look: "fault", kind: "reader", since: ago(900) },
  ];
  return { ...v, queue: [first, ...others].slice(0, Math.min(n, 4)), unanswered: n };
};
const fever = (n, more) =>
  red("fever", n, {
    screening_c: 38.4,
    reasons: ["fever"],
    instruction: "go-home",
    actions: ["retest", "isolate", "call-doctor"],
    ...more,
  });
const refusal = (reason, more) => view("refuse", { ...who, screening_c: 36.5, reasons: [reason], ...more });

const people = [
  ["pass", 36.5, "in", 20],
  ["pass", 36.7, "in", 80],
  ["invalid", 33.9, "in", 190],
  ["fever", 38.4, "out", 280],
  ["pass", undefined, "out", 4000],
].map(([look, t, direction, s], i) => ({ seq: 100 - i, look, screening_c: t, direction, at: ago(s) }));

/** The states of a field check. */
function checkStates() {
  const check = (more, actions) => ({
    view: view("check", {
      device: "thermometer",
      check: { state: "open", pairs: 2, needed: 10, offset_c: 3.1, ...more },
      actions,
    }),
  });
  const result = (mean, more) => ({
    state: "done",
    pairs: 10,
    result: { mean_error_c: mean, spread_c: 0.21, proposed_offset_c: 3.1 - mean, passed: true, ...more },
  });
  const end = ["check-end"];
  const failed = result(-0.72, { passed: false, faults: ["off", "flat"] });
  return {
    "check-measure": check({}, end),
    "check-problem": check({ problem: "ambient-low" }, end),
    "check-contact": check({ screening_c: 36.4 }, ["check-contact", "check-again", ...end]),
    "check-passed": check(result(-0.13), ["check-close"]),
    "check-failed": check(failed, ["check-close"]),
    "check-given-up": check({ state: "given-up" }, ["check-close"]),
    "check-due": {
      view: red("fault", 1, { id: "k", kind: "check-due", device: "thermometer", actions: ["check", "noted"] }),
    },
    "doubtful-check": {
      view: red("fault", 1, { kind: "doubtful", device: "thermometer", actions: ["by-hand", "noted", "check"] }),
    },
  };
}

/** Idle gates of whose devices some do not work. */
function partlyStates() {
  const part = (kind, works, more) => ({ kind, works, ...more });
  const [east, west] = ["东门入口", "东门出口"];
  return Object.fromEntries(
    Object.entries({
      reader: [part("card", false, { direction: "in" }), part("card", true, { direction: "out" })],
      scanner: [part("card", true, { direction: "in" }), part("code", false, { direction: "in" })],
      "no-card": [part("card", false, { direction: "in" }), part("code", true, { direction: "in" })],
      same: [part("card", false), part("card", true)],
      lanes: [part("card", false, { lane: east }), part("card", true, { lane: west })],
      way: [
        part("card", false, { lane: east, direction: "in" }),
        part("card", true, { lane: east, direction: "out" }),
        part("card", true, { lane: west, direction: "in" }),
      ],
      thermometer: [part("temperature", true, { lane: east }), part("temperature", false, { lane: west })],
      "one-thermometer": [part("temperature", true), part("temperature", false)],
    }).map(([name, partly]) => [`idle-partly-${name}`, { view: idle({ partly }) }]),
  );
}

/** The states of a gate: name, and what its keys hold besides or instead of the usual. */
export function kioskStates() {
  const reasons = [
    ...["lost-card", "not-yet-valid", "expired", "direction", "outside-hours", "quota-used", "uses-up"],
    ...["anti-passback", "purpose", "other-lane-first", "sealed-entry", "sealed-visit", "pass-forged"],
    ...["pass-unreadable", "pass-elsewhere", "pass-not-accepted", "no-card", "no-reader", "one-at-a-time"],
  ];
  const retests = ["unsettled", "no-temperature", "no-thermometer", "high-for-gate", "under-check"];
  const invalids = ["too-cold", "ambient-low", "ambient-high", "hot-background", "sensor-drift", "doubtful"];
  const episode = (step, more) => ({ step, first_c: 38.4, ready: ago(-420), ...more });
  const seated = (look, step, more) =>
    view(look, { ...who, id: "e1", screening_c: 38.4, since: ago(180), episode: episode(step), ...more });
  const states = {
    idle: { view: idle() },
    "county-opened": {
      view: idle({ guard: "东门一组", county: [{ action: "open", by: "wang", reason: "救护车进入", since: ago(20) }] }),
    },
    "county-noticed": {
      view: idle({
        county: [
          {
            action: "notice",
            by: "wang",
            reason: "封闭",
            since: ago(20),
            text: "今晚 22 时起本小区只进不出，物资统一由东门交接，请值守员逐户电话通知，遇有急病先拨 120 再报县值班室，夜间巡查每两小时一次并登记",
          },
          { action: "restart", by: "li", reason: "换了新证书", since: ago(60) },
        ],
      }),
    },
    "idle-noticed": { view: idle({ guard: "东门一组", notices: [{ text: "今天 18:00 起，快递放在东门外货架" }] }) },
    "idle-long-notice": {
      view: idle({
        notices: [
          { text: "明早 8:00 到 10:00 全员核酸：各楼栋按楼长通知的时间下楼，老人由楼长陪同，请勿在门岗停留" },
          { text: "消杀车 15:00 经过东门" },
        ],
      }),
    },
    ...Object.fromEntries(
      ["temperature", "card", "by-hand", "nothing"].map((asks) => [`idle-${asks}`, { view: idle({ asks }) }]),
    ),
    ...partlyStates(),
    ...Object.fromEntries(
      ["delivering", "destroying", "answering", "unheard", "done"].map((kind) => [
        `retired-${kind}`,
        { view: { look: "retired", id: "retired", kind, actions: [], queue: [], strips: [], standing: [] } },
      ]),
    ),
    "idle-unmanned": { view: idle(), post: { guards: ["east-1", "east-2"] } },
    "pass-asked": {
      view: view("pass", { ...who, screening_c: 36.5, reasons: ["normal"] }),
      post: { on: "east-1", guards: ["east-1"], asked: ago(-240) },
    },
    "idle-answered": {
      view: idle({ answered: { id: "p1", look: "fever", screening_c: 38.4, since: ago(60), action: "call-doctor" } }),
    },
    "idle-standing": {
      view: idle({
        asks: "by-hand",
        standing: [
          { look: "fault", kind: "thermometer", since: ago(754) },
          { look: "offline", kind: "no-answer", since: ago(3754) },
        ],
        waiters: [
          { id: "e1", class: "resident", screening_c: 38.4, ready: ago(-300) },
          { id: "e2", class: "visitor", screening_c: 37.5, ready: ago(10) },
        ],
      }),
      lamps: { ...lamps, thermometer: "fault", county: false, pending: 1284 },
    },
    "idle-called": {
      view: idle({ standing: [{ look: "called", kind: "doctor", since: ago(754) }] }),
    },
    "idle-muted": { view: idle({ muted: ago(-80) }) },
    measuring: { view: view("measuring") },
    tapped: { view: view("tapped", { ...who, ...soon() }) },
    occupied: {
      view: view("tapped", { ...who, ...soon(), occupied: true, lane: "东门入口", lanes: ["东门入口", "出口"] }),
    },
    measured: { view: view("measured", { screening_c: 36.5, ...soon() }) },
    apart: { view: view("apart", { ...soon() }) },
    unread: { view: view("unread", { ...soon() }) },
    pass: { view: view("pass", { ...who, screening_c: 36.5, reasons: ["normal"] }) },
    "pass-entered": {
      view: view("pass", { ...who, screening_c: 36.6, reasons: ["normal", "entered"], entered: "contact" }),
    },
    "pass-card": { view: view("pass", { ...who, reasons: ["not-measured", "declared-opening"] }) },
    "pass-offline": {
      view: view("pass", {
        ...who,
        screening_c: 36.5,
        reasons: ["normal", "clock-unsynchronised"],
        queue: [{ id: "offline", look: "offline", kind: "no-answer", since: ago(30) }],
        unanswered: 1,
      }),
    },
    ...Object.fromEntries(reasons.map((r) => [r, { view: refusal(r) }])),
    ...Object.fromEntries(
      retests.map((r) => [
        r,
        { view: view("retest", { ...who, reasons: [r], screening_c: 36.1, actions: ["enter"], lane: "东门入口" }) },
      ]),
    ),
    ...Object.fromEntries(
      invalids.map((r) => [
        r,
        { view: view("invalid", { ...who, reasons: [r], screening_c: 36.6, actions: ["enter"] }) },
      ]),
    ),
    "high-twice": {
      view: view("retest", {
        ...who,
        reasons: ["high-for-gate"],
        instruction: "measure-by-hand",
        screening_c: 37.1,
        actions: ["enter"],
      }),
    },
    ...checkStates(),
    waiting: { view: seated("waiting", "early", { actions: ["waiters", "enter", "later"] }) },
    ready: { view: seated("ready", "due", { actions: ["retest-now", "enter", "later"] }) },
    contact: { view: seated("contact", "contact", { actions: ["enter", "retest-now", "later"] }) },
    held: { view: seated("contact", "confirmed", { actions: ["enter", "retest-now", "later"] }) },
    "tapped-again": { view: view("tapped", { again: true, ...soon() }) },
    ...Object.fromEntries(
      ["too-early", "retest-due", "contact-needed"].map((r) => [
        r,
        { view: view("retest", { ...who, reasons: [r], actions: ["enter"], episode: episode("early") }) },
      ]),
    ),
    "fever-confirmed": { view: refusal("fever-confirmed", { episode: episode("confirmed") }) },
    "fever-wait": {
      view: fever(1, {
        instruction: "wait",
        actions: ["retest", "call-doctor", "enter"],
        episode: episode("opened"),
      }),
    },
    "confirmed-home": {
      view: red("confirmed", 1, {
        screening_c: 38.2,
        instruction: "go-home",
        actions: ["isolate", "call-doctor"],
        episode: episode("confirmed"),
      }),
    },
    "confirmed-away": {
      view: red("confirmed", 2, {
        class: "visitor",
        screening_c: 38.2,
        instruction: "turn-away",
        actions: ["turned-away", "call-doctor"],
        episode: episode("confirmed"),
      }),
    },
    fever: { view: fever(1) },
    "fever-person": { view: fever(4, person) },
    "sealed-person": { view: red("sealed", 2, { ...person, screening_c: 36.4, actions: ["sent-back", "call-grid"] }) },
    "pass-person": { view: view("pass", { ...who, shown: "3栋2单元 王**", screening_c: 36.5, reasons: ["normal"] }) },
    "refuse-person": { view: refusal("quota-used", person) },
    "cold-person": { view: view("invalid", { ...person, screening_c: 33.4, reasons: ["too-cold", "ambient-low"] }) },
    "tapped-person": { view: view("tapped", { ...person, ...soon() }) },
    "waiting-person": { view: seated("ready", "due", { ...person, actions: ["retest-now", "enter", "later"] }) },
    "fever-first-of-four": { view: fever(4) },
    "fever-first-of-nine": { view: fever(9) },
    "fever-mixed": {
      view: fever(1, {
        class: undefined,
        instruction: "measure-again",
        strips: [{ look: "apart", ...soon() }],
      }),
    },
    "fever-others-pass": {
      view: fever(2, { strips: [{ look: "pass", screening_c: 36.5, reasons: ["normal"], ...who, ...soon(3) }] }),
    },
    "fever-others-refused": {
      view: fever(2, {
        strips: [{ look: "refuse", screening_c: 36.5, reasons: ["quota-used"], ...who, ...soon(3) }],
        answered: { id: "p1", look: "unknown", since: ago(60), action: "turned-away" },
      }),
    },
    sealed: { view: red("sealed", 2, { direction: "out", screening_c: 36.4, actions: ["sent-back", "call-grid"] }) },
    "sealed-in": { view: red("sealed-in", 1, { screening_c: 36.4, actions: ["call-grid", "let-home"] }) },
    unknown: {
      view: red("unknown", 1, { class: undefined, actions: ["id-checked", "turned-away", "call-community"] }),
    },
    "fault-thermometer": {
      view: red("fault", 1, { class: undefined, kind: "thermometer", actions: ["by-hand", "noted", "call-it"] }),
      lamps: { ...lamps, thermometer: "fault" },
    },
    "fault-doubtful": {
      view: red("fault", 1, { class: undefined, kind: "doubtful", actions: ["by-hand", "noted", "call-it"] }),
      lamps: { ...lamps, thermometer: "fault" },
    },
    "fault-unplugged": {
      view: red("fault", 3, {
        class: undefined,
        kind: "thermometer",
        gone: true,
        actions: ["by-hand", "noted", "call-it"],
      }),
      lamps: { ...lamps, thermometer: "gone" },
    },
    "fault-reader": {
      view: red("fault", 1, { class: undefined, kind: "reader", actions: ["noted", "call-it"] }),
      lamps: { ...lamps, reader: "fault" },
    },
    "fault-reader-gone": {
      view: red("fault", 1, { class: undefined, kind: "reader", gone: true, actions: ["noted", "call-it"] }),
      lamps: { ...lamps, reader: "gone" },
    },
    "fault-display": { view: red("fault", 1, { class: undefined, kind: "display", actions: ["noted", "call-it"] }) },
    "fault-nobody-passes": {
      view: red("fault", 1, { class: undefined, kind: "nobody-passes", actions: ["noted", "call-it"] }),
    },
    "fault-journal": {
      view: red("fault", 1, { class: undefined, kind: "journal", actions: ["noted", "call-it"] }),
      lamps: { ...lamps, kept: false },
    },
    ...Object.fromEntries(
      ["no-answer", "store-refuses", "record-held", "collector-foreign"].map((kind) => [
        `offline-${kind}`,
        { view: red("offline", 1, { class: undefined, kind, actions: ["noted"] }), lamps: { ...lamps, county: false } },
      ]),
    ),
    ...Object.fromEntries(
      [
        ["asked", "asked"],
        ["received", "received"],
        ["seen", "seen"],
        ["cut", "cut"],
        ["ended", "ended"],
        ["on-the-way", "answered", { answer: "on-the-way", minutes: 10 }],
        ["on-the-way-some-time", "answered", { answer: "on-the-way" }],
        ["call-us", "answered", { answer: "call-us" }],
        [
          "not-available",
          "answered",
          {
            answer: "not-available",
            contacts: [
              { role: "instead", phone: "0000 000 1199" },
              { role: "doctor", phone: "0000 000 1120" },
            ],
          },
        ],
        ["grid", "received", { role: "grid" }],
        ["community", "seen", { role: "community" }],
        ["it", "received", { role: "it", contacts: [] }],
      ].map(([name, state, more]) => [
        `called-${name}`,
        {
          view: view("called", {
            ...who,
            sound: "prompt",
            screening_c: 38.4,
            actions: ["help-reached", "help-arrived", "back"],
            call: {
              id: "c1",
              role: "doctor",
              since: ago(100),
              state,
              contacts: [{ role: "doctor", phone: "0000 000 1120" }, contacts[0]],
              ...more,
            },
          }),
        },
      ]),
    ),
  };
  return Object.entries(states).map(([name, s]) => ({ name, state: { lamps, gate, recent: people, ...s } }));
}
