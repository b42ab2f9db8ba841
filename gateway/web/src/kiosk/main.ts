import "./style.css";
import { Live } from "../live";
import { ago, chosenLang, clock, keepLang, say, type Lang, type Words } from "../words";
import { kiosk as en } from "../words/en.json";
import { kiosk as zh } from "../words/zh.json";
import { Entry } from "./entry";
import { icons } from "./icons";
import { el, fit, put } from "./page";
import { patterns, schedule, Speaker } from "./sound";
import { describe, strip, tone, type Gate, type Lamps, type Person, type View } from "./view";

const all: Record<Lang, Words> = { zh, en };
const cutAfter = 4500; // ms without a frame from the host, which sends one every 2 s
const armAfter = 500; // ms before a new screen takes an answer
const kinds: Record<string, string> = { journal: "unkept", doubtful: "doubtful" }; // icons of faults
const testFor = 10_000;
const testLooks = ["pass", "retest", "fever"];

let lang = chosenLang();
let view: View | null = null;
let lamps: Lamps | null = null;
let recent: Person[] = [];
let gate: Gate = { title: "", agent: "", version: "" };
let shownID = "";
let armedAt = 0;
let testFrom = -Infinity;
let toastUntil = 0;
let drawn = "";

const w = (): Words => all[lang];

const speaker = new Speaker();
const entry = new Entry(w, () => {
  draw();
});
const latencies: number[] = []; // verdict to pixels, ms
const live = new Live("live", {
  changed(state, keys) {
    view = (state.get("view") as View | undefined) ?? null;
    lamps = (state.get("lamps") as Lamps | undefined) ?? null;
    recent = (state.get("recent") as Person[] | undefined) ?? [];
    gate = (state.get("gate") as Gate | undefined) ?? gate;
    draw();
    if (keys.includes("view")) measure();
  },
});

const cut = (): boolean => !view || performance.now() - live.heard > cutAfter;
const testing = (): boolean => performance.now() - testFrom < testFor;

/** The view that fills the screen: the host's, or the page's own. */
function current(): View {
  const none: View = { look: "cut", id: "cut", actions: [], waiting: 0, strips: [] };
  if (cut()) return { ...none, sound: "cut" };
  if (view?.look !== "idle") testFrom = -Infinity; // somebody is there: the test is over
  if (testing() && view) {
    const look = testLooks[Math.floor((performance.now() - testFrom) / (testFor / testLooks.length))] ?? "pass";
    const sound = view.muted ? undefined : look === "retest" ? "amber" : look;
    return { ...none, look, id: `test ${look}`, sound, muted: view.muted, strips: view.strips, test: true };
  }
  return view ?? none;
}

function draw(): void {
  const v = current();
  if (v.id !== shownID) {
    shownID = v.id;
    armedAt = performance.now() + (tone(v.look) === "red" ? armAfter : 0);
  }
  speaker.play(v.sound ?? "", v.id);
  const d = describe(w(), v, live.now());
  const entering = entry.showing && tone(v.look) !== "red"; // a red comes first; the keys come back after it
  entry.follow(v);
  entry.draw(v, entering);
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = gate.title || gate.agent;
  const classes = [
    tone(v.look),
    v.look,
    v.test ? "test" : "",
    v.actions.length === 0 ? "full" : "",
    d.value ? "has-temp" : "",
    v.strips.length > 0 ? "strips" : "",
    entering ? "entering" : "",
  ]
    .join(" ")
    .replace(/ +/g, " ")
    .trim();
  if (document.body.className !== classes) document.body.className = classes;
  const icon = v.test ? "test" : (kinds[v.kind ?? ""] ?? v.look);
  if (drawn !== icon) {
    el("icon").innerHTML = icons[icon] ?? ""; // our own constants
    drawn = icon;
  }
  put("headline", d.headline);
  fit(el("headline"), v.strips.length > 0 ? 4.4 : 5.5);
  const t = el("temperature");
  const value = `${d.value} ${d.unit}`;
  if (t.dataset.value !== value) {
    t.dataset.value = value;
    t.replaceChildren(d.value, Object.assign(document.createElement("small"), { textContent: d.value ? d.unit : "" }));
  }
  drawBar(v);
  put("detail", d.detail);
  put("person", d.person);
  put("extra", d.extra);
  put("title", gate.title || gate.agent);
  drawTop(v);
  drawStrips(v);
  drawRecent();
  drawButtons(v);
  if (performance.now() > toastUntil) put("toast", "");
}

/** How much of the time for what is asked is left. */
function drawBar(v: View): void {
  const all = v.until && v.since ? Date.parse(v.until) - Date.parse(v.since) : 0;
  const left = all > 0 && v.until ? Math.max(0, Math.min(1, (Date.parse(v.until) - live.now()) / all)) : 0;
  el("bar").hidden = all <= 0;
  el("left").style.width = `${(100 * left).toFixed(1)}%`;
}

function drawTop(v: View): void {
  put("clock", new Date(live.now()).toLocaleTimeString("zh-CN", { hour12: false }));
  const list: [string, string][] = [
    ["thermometer", lamps?.thermometer ?? "gone"],
    ["reader", lamps?.reader ?? "gone"],
    ["host", cut() ? "gone" : lamps?.kept === false ? "fault" : "ok"],
    ["county", lamps?.county ? "ok" : "gone"],
  ];
  const text = JSON.stringify([list, lang, cut()]);
  if (el("lamps").dataset.value !== text) {
    el("lamps").dataset.value = text;
    el("lamps").replaceChildren(
      ...list.map(([name, state]) => {
        const li = document.createElement("li");
        const shown = cut() && name !== "host" ? "none" : state;
        li.className = shown === "ok" ? "ok" : shown === "none" ? "none" : "bad";
        li.textContent = say(w(), `lamp.${name}`);
        li.title = say(w(), shown === "ok" ? "lamp.ok" : shown === "none" ? "lamp.none" : "lamp.bad");
        return li;
      }),
    );
  }
  const sound = el("sound");
  const muted = v.muted ? Date.parse(v.muted) - live.now() : 0;
  sound.className = !speaker.running || muted > 0 ? "warn" : "";
  put(
    "sound",
    !speaker.running
      ? say(w(), "sound.blocked")
      : muted > 0
        ? say(w(), "sound.muted", { time: clock(muted) })
        : say(w(), "sound.on"),
  );
  put("lang", say(w(), "lang"));
  el("lang").setAttribute("aria-label", say(w(), "lang.label"));
  el("lang").lang = lang === "zh" ? "en" : "zh-CN";
}

function drawStrips(v: View): void {
  const texts = v.strips.map((s) => strip(w(), s, lamps?.pending ?? 0, live.now()));
  const box = el("strips");
  if (box.childElementCount !== texts.length) box.replaceChildren(...texts.map(() => document.createElement("p")));
  texts.forEach((text, i) => {
    const p = box.children[i];
    if (!p) return;
    if (p.textContent !== text) p.textContent = text;
    p.className = v.strips[i]?.until ? "asks" : "";
  });
}

function drawRecent(): void {
  put("recenttitle", say(w(), "recent"));
  const list = el("recent");
  const key = JSON.stringify([recent.map((p) => [p.seq, p.look]), lang]);
  if (list.dataset.value !== key) {
    list.dataset.value = key;
    const rows = recent.map((p) => {
      const li = document.createElement("li");
      li.className = `${p.look} ${tone(p.look)}`;
      const icon = document.createElement("div");
      icon.innerHTML = icons[p.look] ?? ""; // our own constants
      const what = document.createElement("div");
      const way = p.direction ? ` ${say(w(), `direction.${p.direction}`)}` : "";
      what.textContent = (p.screening_c === undefined ? "–" : `${p.screening_c.toFixed(1)}°C`) + way;
      const age = document.createElement("div");
      age.className = "age";
      li.append(icon, what, age);
      return li;
    });
    if (rows.length === 0) {
      const li = document.createElement("li");
      li.textContent = say(w(), "recent.none");
      rows.push(li);
    }
    list.replaceChildren(...rows);
  }
  recent.forEach((p, i) => {
    const age = list.children[i]?.querySelector(".age");
    if (age) age.textContent = p.at ? ago(w(), live.now() - Date.parse(p.at)) : "–";
  });
}

function drawButtons(v: View): void {
  const box = el("buttons");
  const key = JSON.stringify([v.id, v.actions, lang]);
  if (box.dataset.value !== key) {
    box.dataset.value = key;
    box.replaceChildren(
      ...v.actions.map((action, i) => {
        const b = document.createElement("button");
        b.type = "button";
        b.textContent = say(w(), `action.${action}`);
        const hint = document.createElement("span");
        hint.textContent = `F${i + 1}`;
        b.append(hint);
        b.onclick = () => {
          void press(v.id, action);
        };
        return b;
      }),
    );
  }
  const armed = performance.now() >= armedAt;
  for (const b of box.querySelectorAll("button")) b.disabled = !armed;
}

async function press(id: string, action: string): Promise<void> {
  speaker.unlock();
  if (id !== shownID || performance.now() < armedAt) return;
  if (action === "enter") {
    entry.begin(current());
    return;
  }
  if (action === "shift-test") testFrom = performance.now();
  try {
    const r = await fetch("press", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id, action }),
    });
    if (!r.ok && r.status !== 409) throw new Error(await r.text());
  } catch {
    toastUntil = performance.now() + 4000;
    put("toast", say(w(), "failed"));
  }
  draw();
}

/** Notes how long a verdict took to the pixels; the clock is the host's own. */
function measure(): void {
  const since = view?.since;
  if (!since || !view?.screening_c) return;
  requestAnimationFrame(() => {
    const c = new MessageChannel();
    c.port1.onmessage = () => {
      latencies.push(Date.now() - Date.parse(since));
      if (latencies.length > 500) latencies.shift();
    };
    c.port2.postMessage(0);
  });
}

el("lang").onclick = () => {
  lang = lang === "zh" ? "en" : "zh";
  keepLang(lang);
  draw();
};
el("sound").onclick = () => {
  if (speaker.running && view && !view.muted)
    void fetch("press", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id: "", action: "muted" }),
    });
  speaker.unlock();
};
document.addEventListener("keydown", (e) => {
  if (entry.showing && tone(current().look) !== "red") {
    if (!e.repeat && entry.key(e.key)) e.preventDefault();
    return;
  }
  const i = ["F1", "F2", "F3"].indexOf(e.key);
  if (i < 0) return;
  e.preventDefault();
  if (e.repeat) return;
  const action = current().actions[i];
  if (action) void press(shownID, action);
});
document.addEventListener("contextmenu", (e) => {
  e.preventDefault();
});
setInterval(() => {
  live.say({ audio: speaker.ctx.state });
}, 2000);
setInterval(draw, 250);
live.connect();
draw();

// For tests: what sounds, and how fast.
Object.assign(window, { gatehouse: { patterns, schedule, speaker, latencies } });
