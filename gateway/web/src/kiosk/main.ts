import "./style.css";
import { Live } from "../live";
import { chosenLang, keepLang, say, type Lang, type Words } from "../words";
import { kiosk as en } from "../words/en.json";
import { kiosk as zh } from "../words/zh.json";
import { drawAside, drawButtons, drawHeader, drawPicture, drawStrips, type Around } from "./draw";
import { CheckEntry, checkStep } from "./check";
import { Entry } from "./entry";
import { Pad, post } from "./pad";
import { afterPaint, el, put } from "./page";
import { Test } from "./selftest";
import { patterns, schedule, Speaker } from "./sound";
import { Menu } from "./menu";
import type { Post } from "./post";
import { Sheet } from "./sheet";
import { picture, stateOf, tone } from "./states";
import type { Gate, Lamps, Person, View } from "./view";

const all: Record<Lang, Words> = { zh, en };
const cutAfter = 4500; // ms without a frame from the agent, which sends one every 2 s
const armAfter = 500; // ms before a new screen takes an answer

let lang = chosenLang();
let view: View | null = null;
let lamps: Lamps | null = null;
let recent: Person[] = [];
let gate: Gate = { title: "", agent: "", version: "" };
let cutSince = "";
let shownID = "";
let armedAt = 0;
let toastUntil = 0;

const w = (): Words => all[lang];
const speaker = new Speaker();
const pad = new Pad(w, () => {
  draw();
});
const test = new Test();
const sheet = new Sheet(() => {
  draw();
});
const menu = new Menu({
  words: w,
  now: () => live.now(),
  open: (form) => {
    pad.open(form);
  },
  press: (action) => tell("", action),
  check: (device) => post("check", { device, do: "begin" }),
  test: () => void press(shownID, "shift-test"),
  changed: () => {
    draw();
  },
});
const latencies: number[] = []; // verdict to pixels, ms
const live = new Live("live", {
  changed(state, keys) {
    view = (state.get("view") as View | undefined) ?? null;
    lamps = (state.get("lamps") as Lamps | undefined) ?? null;
    recent = (state.get("recent") as Person[] | undefined) ?? [];
    menu.post = (state.get("post") as Post | undefined) ?? {};
    gate = (state.get("gate") as Gate | undefined) ?? gate;
    if (keys.includes("view")) measure();
    draw();
  },
});

const unheard = (): boolean => performance.now() - live.heard > cutAfter;

/** The page is cut off from the agent. That of a gate which is out of service ends, and its last view stays. */
const cut = (): boolean => !view || (view.look !== "retired" && unheard());

/** The view that fills the screen: the agent's, or the page's own. */
function current(): View {
  if (view && !cut()) {
    cutSince = "";
    if (view.look === "retired" && view.kind !== "done" && unheard()) return { ...view, kind: "unheard" };
    return asking(test.over(view));
  }
  cutSince ||= view ? new Date(live.now() - (performance.now() - live.heard)).toISOString() : "";
  return { look: "cut", id: "cut", since: cutSince, actions: [], strips: [], sound: "cut" };
}

/** A gate with people in it goes on while the guard is asked whether anybody is there: a button answers it. */
function asking(v: View): View {
  const free = v.actions.length === 0 && !v.look.startsWith("test-") && tone(v.look) !== "red";
  return menu.post.asked && free ? { ...v, actions: ["still-here"] } : v;
}

function draw(): void {
  const v = current();
  const red = tone(v.look) === "red";
  if (v.id !== shownID) {
    shownID = v.id;
    if (red) menu.close();
    armedAt = performance.now() + (red ? armAfter : 0);
  }
  speaker.play(v.sound ?? "", v.id);
  const around: Around = {
    w: w(),
    now: live.now(),
    gate,
    lamps,
    recent,
    cut: cut() || v.kind === "unheard",
    sounding: speaker.running,
  };
  const p = picture({ w: w(), v, gate, now: around.now });
  p.labels = { ...p.labels, "still-here": say(w(), "action.still-here.short") };
  if (menu.post.guards && !menu.post.on) p.labels.menu = say(w(), "post.signin");
  pad.follow(v);
  const padded = pad.over(v.id, red);
  pad.draw(padded);
  sheet.draw(padded || red ? null : menu.page(v.look === "idle"), w());
  drawGuard(v.guard);
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = gate.title || gate.agent;
  const classes = [
    tone(v.look),
    v.look,
    v.look.startsWith("test-") && v.look !== "test-ask" && "test",
    v.actions.length > 0 && "has",
    (v.strips.length > 0 || v.answered || v.county?.length) && "strips",
    padded && "padded",
    v.look === "idle" && night(around.now) && "night",
  ]
    .filter(Boolean)
    .join(" ");
  if (document.body.className !== classes) document.body.className = classes;
  drawPicture(v, p, p.icon ?? stateOf(v.look).icon, around.now);
  drawStrips(v, around);
  drawHeader(v, around);
  drawLater(v, around);
  drawButtons(v, p, w(), performance.now() >= armedAt, (action) => void press(v.id, action));
  if (performance.now() > toastUntil) put("toast", "");
}

let waiting: [View, Around] | null = null; // for the column beside the picture

/** Draws the column beside the picture once the picture is on the screen: the verdict must not wait for it. */
function drawLater(v: View, around: Around): void {
  if (!waiting)
    afterPaint(() => {
      if (waiting) drawAside(...waiting);
      waiting = null;
    });
  waiting = [v, around];
}

/** The header names who is on duty, or asks for it. */
function drawGuard(on: string | undefined): void {
  const p = menu.post;
  const key = p.guards ? "post.unmanned" : "action.menu";
  put("guard", on ? say(w(), "guard", { name: on }) : say(w(), key));
  el("guard").className = on || !p.guards ? "" : "nobody";
}

/** From nine in the evening to six the screen is dimmed while nobody is there. */
const night = (now: number): boolean => {
  const hour = new Date(now).getHours();
  return hour >= 21 || hour < 6;
};

/** Actions that open the pad; those in answers of edge/kiosk are journalled before. */
const opens: Record<string, (v: View) => void> = {
  enter: (v) => {
    pad.open(new Entry(v));
  },
  "by-hand": (v) => {
    pad.open(new Entry(v));
  },
  "check-contact": (v) => {
    pad.open(new CheckEntry(v));
  },
};

async function press(id: string, action: string): Promise<void> {
  speaker.unlock();
  if (id !== shownID || performance.now() < armedAt) return;
  const v = current();
  if (action === "menu") {
    menu.toggle();
    return;
  }
  if (action === "retest-now") {
    const wrong = await post("retest", { id, lane: "" });
    if (wrong) toast(w()[`entry.${wrong}`] ?? say(w(), "failed"));
    return;
  }
  if (!["enter", "check-contact"].includes(action) && (await refused(v, id, action))) return;
  test.press(action);
  opens[action]?.(v);
  draw();
}

/** Tells the agent what was pressed; where that begins a field check, it answers the alarm, too. */
async function refused(v: View, id: string, action: string): Promise<boolean> {
  const step = checkStep[action];
  if ((!step || v.look === "fault") && (await tell(id, action))) return true;
  const wrong = step ? await post("check", { device: v.device ?? "", do: step }) : "";
  if (!wrong) return false;
  toastUntil = performance.now() + 4000;
  put("toast", w()[`check.wrong.${wrong}`] ?? say(w(), "failed"));
  return true;
}

/** Tells the agent an answer; what was not recorded is said. */
async function tell(id: string, action: string): Promise<string> {
  const wrong = await post("press", { id, action });
  if (!wrong || wrong === "stale") return wrong;
  toast(say(w(), "failed"));
  return wrong;
}

function toast(text: string): void {
  toastUntil = performance.now() + 4000;
  put("toast", text);
}

/** Notes how long a verdict took to the pixels; the clock is the agent's own. */
function measure(): void {
  const since = view?.since;
  if (!since || !view?.screening_c) return;
  afterPaint(() => {
    latencies.push(Date.now() - Date.parse(since));
    if (latencies.length > 500) latencies.shift();
  });
}

el("lang").onclick = () => {
  lang = lang === "zh" ? "en" : "zh";
  keepLang(lang);
  draw();
};
el("guard").onclick = () => {
  menu.toggle();
};
el("sound").onclick = () => {
  if (speaker.running && view && !view.muted) void tell("", "muted");
  speaker.unlock();
};
document.addEventListener("keydown", (e) => {
  const v = current();
  if (pad.over(v.id, tone(v.look) === "red")) {
    if (!e.repeat && pad.key(e.key)) e.preventDefault();
    return;
  }
  const i = ["F1", "F2", "F3"].indexOf(e.key);
  if (i < 0) return;
  e.preventDefault();
  if (sheet.open) {
    if (!e.repeat) sheet.press(i);
    return;
  }
  const action = v.actions[i];
  if (action && !e.repeat) void press(shownID, action);
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

// For tests: what sounds, how fast, and what the agent sends.
Object.assign(window, { gatehouse: { patterns, schedule, speaker, latencies, live } });
