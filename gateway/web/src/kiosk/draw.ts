// Draws a view: what fills the screen, and what stands around it. Only what has changed is touched.
import { ago, clock, say, type Words } from "../words";
import { icons } from "./icons";
import { el, made, put, redraw, widthOf } from "./page";
import { joined, type Picture } from "./picture";
import { stateOf, tone } from "./states";
import {
  degrees,
  hhmm,
  hhmmss,
  left,
  type CountyAct,
  type Gate,
  type Lamps,
  type Person,
  type Queued,
  type Strip,
  type View,
} from "./view";

/** What is drawn, besides the view. */
export interface Around {
  w: Words;
  now: number; // ms since 1970, the agent's clock
  gate: Gate;
  lamps: Lamps | null;
  recent: Person[];
  cut: boolean; // from the agent
  sounding: boolean; // the page may play sounds
}

const parsed = new Map<string, HTMLElement>();

/** A copy of an icon, which is parsed once. */
function icon(name: string): HTMLElement {
  let e = parsed.get(name);
  if (!e) {
    e = made("span", "icon");
    e.innerHTML = icons[name] ?? ""; // our own constants
    parsed.set(name, e);
  }
  return e.cloneNode(true) as HTMLElement;
}

/** The main part of the screen. */
export function drawPicture(v: View, p: Picture, name: string, now: number): void {
  redraw("icon", name, () => [...icon(name).childNodes]);
  put("headline", p.headline);
  redraw("value", [p.value, p.unit], () => (p.value ? [p.value, made("small", "", p.unit ?? "")] : []));
  put("note", p.note ?? "");
  el("note").className = (p.note ?? "").length > 48 ? "long" : "";
  redraw("phones", p.phones ?? [], () =>
    (p.phones ?? []).flatMap(([who, phone]) => [made("dt", "", who), made("dd", "", phone)]),
  );
  put("order", p.order);
  put("line", p.line ?? "");
  fitLine(p.line ?? "");
  const all = p.bar && v.until && v.since ? Date.parse(v.until) - Date.parse(v.since) : 0;
  el("bar").hidden = all <= 0;
  if (all > 0 && v.until) {
    const share = Math.max(0, Math.min(1, (Date.parse(v.until) - now) / all));
    el("left").style.transform = `scaleX(${share.toFixed(3)})`;
  }
  fit(p.headline);
}

/**
 * Makes the headline as large as it fits. The sizes are those of style.css, in rem: to ask the page for them would lay
 * it out twice for each verdict.
 */
function fit(text: string): void {
  const list = document.body.classList;
  const has = list.contains("has");
  const most = !has ? 5.1 : list.contains("strips") ? 4 : 4.5;
  sized("headline", text, most, has);
}

/** Makes the line about the person smaller where it does not fit. */
function fitLine(text: string): void {
  const has = document.body.classList.contains("has");
  sized("line", text, has ? 1.85 : 2.1, has);
}

/** Sets the size of a line of text, in rem: as large as there is room, and at most so. */
function sized(id: string, text: string, most: number, has: boolean): void {
  const rem = Math.min(innerWidth / 64, innerHeight / 37.5);
  const room = innerWidth / rem - 13 - 2 * (has ? 0.5 : 0.9) - 2 * 1.2;
  const size = `${Math.min(most, (room / widthOf(text)) * 0.985).toFixed(3)}rem`;
  const e = el(id);
  if (e.style.fontSize !== size) e.style.fontSize = size;
}

/** The line at the top. */
export function drawHeader(v: View, a: Around): void {
  const { w } = a;
  put("title", a.gate.title || a.gate.agent);
  put("clock", hhmmss(a.now));
  const list: [string, string][] = [
    ["thermometer", a.lamps?.thermometer ?? "gone"],
    ["reader", a.lamps?.reader ?? "gone"],
    ["host", a.cut ? "gone" : a.lamps?.kept === false ? "fault" : "ok"],
    ["county", a.lamps?.county ? "ok" : "gone"],
  ];
  const shown = list.map(([name, state]) => [say(w, `lamp.${name}`), a.cut && name !== "host" ? "none" : state]);
  redraw("lamps", shown, () =>
    shown.map(([name = "", state = ""]) => {
      const li = made("li", state === "ok" ? "ok" : state === "none" ? "none" : "bad", name);
      li.title = say(w, state === "ok" ? "lamp.ok" : state === "none" ? "lamp.none" : "lamp.bad");
      return li;
    }),
  );
  const muted = v.muted ? Date.parse(v.muted) - a.now : 0;
  el("sound").className = !a.sounding || muted > 0 ? "warn" : "";
  const text = muted > 0 ? say(w, "sound.muted", { time: clock(muted) }) : say(w, "sound.on");
  put("sound", a.sounding ? text : say(w, "sound.blocked"));
  put("lang", say(w, "lang"));
  el("lang").setAttribute("aria-label", say(w, "lang.label"));
}

/** Lines above the picture: what was answered a moment ago, and what concerns others in the lanes. */
export function drawStrips(v: View, { w, now }: Around): void {
  const lines: { text: string; icon: string; class: string; look: string }[] = v.strips
    .slice(0, 2)
    .map((s) => ({ ...strip(w, s, now), class: tone(s.look), look: s.look }));
  const acts = (v.county ?? []).slice(0, lines.length > 1 ? 1 : 2);
  lines.unshift(
    ...acts.map((x) => ({
      text: byCounty(w, x),
      icon: "called",
      class: "county",
      look: x.text && x.text.length > 40 ? "long" : "county",
    })),
  );
  const said = v.answered;
  if (said && lines.length < 3) lines.unshift({ text: answered(w, said), icon: "pass", class: "said", look: "said" });
  redraw("strips", lines, () => lines.map((l) => made("p", `${l.class} ${l.look}`, icon(l.icon), l.text)));
}

/** What a line says about somebody else in the lanes. */
export function strip(w: Words, s: Strip, now: number): { text: string; icon: string } {
  const state = stateOf(s.look);
  const lane = s.lane ? say(w, "lane", { name: s.lane }) : "";
  const value = s.screening_c === undefined ? "" : `${degrees(s.screening_c)} °C`;
  const view: View = { ...s, id: "", actions: [], strips: [] };
  const headline = w[`strip.${s.look}`]
    ? say(w, `strip.${s.look}`, { n: left(s.until, now) })
    : state.draw({ w, v: view, gate: { title: "", agent: "", version: "" }, now }).headline;
  const who = s.class ? say(w, `class.${s.class}`) : "";
  return { text: joined(lane, value, headline, who), icon: state.icon };
}

/** What the county has just done here, who there, and why. */
export const byCounty = (w: Words, x: CountyAct): string =>
  say(w, `county.${x.action}`, {
    what: (w["lang.code"] === "en" && x.en) || (x.text ?? ""),
    lane: x.lane ? say(w, "lane", { name: x.lane }) : "",
    by: x.by,
    why: x.reason,
    time: hhmm(x.since),
  });

/** The guard's answer, in words. */
export const answered = (w: Words, a: Queued & { action: string }): string =>
  say(w, "answered", {
    what: joined(short(w, a), hhmm(a.since)),
    action: w[`did.${a.action}`] ?? say(w, `action.${a.action}`),
  });

/** An alarm in a word or two: its temperature, or what it is. */
export function short(w: Words, q: Queued): string {
  if (q.look === "fever" && q.screening_c !== undefined) return `${degrees(q.screening_c)} °C`;
  return w[`queue.${q.look}.${q.kind}`] ?? w[`queue.${q.look}`] ?? say(w, `look.${q.look}`);
}

/** The column beside the picture: who must be answered, what is broken, who waits, who was here. */
export function drawAside(v: View, a: Around): void {
  const { w, now } = a;
  const rows = (id: string, title: string, some: boolean, from: unknown, list: () => HTMLElement[]) => {
    put(`${id}title`, some ? title : "");
    redraw(id, from, list);
  };
  const queue = v.queue ?? [];
  const queued = queue.map((q) => [short(w, q), hhmm(q.since), q.id === v.id]);
  const more = (v.unanswered ?? 0) - queue.length;
  rows("queue", say(w, "queue"), queue.length > 0 || more > 0, [queued, more], () => [
    ...queue.map((q) => {
      const row = made("li", q.id === v.id ? "shown" : "", made("b", "", short(w, q)), made("i", "", hhmm(q.since)));
      if (q.id === v.id) row.setAttribute("aria-current", "true");
      return row;
    }),
    ...(more > 0 ? [made("li", "more", say(w, "queue.more", { n: more }))] : []),
  ]);
  const standing = (v.standing ?? []).map((s) => [standingText(w, s), since(s.since, now)] as const);
  const kept = a.lamps && !a.lamps.county && a.lamps.pending > 0 ? say(w, "pending", { n: a.lamps.pending }) : "";
  rows("standing", say(w, "standing"), standing.length > 0 || kept !== "", [standing, kept], () => [
    ...standing.map(([text, time]) => made("li", "", made("b", "", text), made("i", "", time))),
    ...(kept ? [made("li", "more", kept)] : []),
  ]);
  const waiters = (v.waiters ?? []).slice(0, 3).map((x) => {
    const wait = x.ready ? Date.parse(x.ready) - now : 0;
    const who = joined(
      x.screening_c === undefined ? "" : degrees(x.screening_c),
      x.class && say(w, `class.${x.class}`),
    );
    return [who, wait > 0 ? clock(wait) : say(w, "waiters.ready")] as const;
  });
  rows("waiters", say(w, "waiters"), waiters.length > 0, waiters, () =>
    waiters.map(([who, time]) => made("li", "", made("b", "", who), made("i", "", time))),
  );
  drawRecent(a);
}

const since = (at: string | undefined, now: number): string => (at ? clock(now - Date.parse(at)) : "");

const standingText = (w: Words, s: Strip): string =>
  w[`queue.${s.look}.${s.kind}`] ?? w[`queue.${s.look}`] ?? say(w, `look.${s.look}`);

function drawRecent({ w, now, recent }: Around): void {
  put("recenttitle", say(w, "recent"));
  const list = recent.map((p) => {
    const way = p.direction ? say(w, `direction.${p.direction}`) : "";
    return { look: p.look, text: `${degrees(p.screening_c) || "–"} ${way}`, seq: p.seq };
  });
  redraw("recent", [list, recent.length === 0 && say(w, "recent.none")], () =>
    list.length === 0
      ? [made("li", "", say(w, "recent.none"))]
      : list.map((p) =>
          made("li", `${p.look} ${tone(p.look)}`, icon(stateOf(p.look).icon), made("b", "", p.text), made("i", "age")),
        ),
  );
  recent.forEach((p, i) => {
    const age = el("recent").children[i]?.querySelector(".age");
    const text = p.at ? ago(w, now - Date.parse(p.at)) : "–";
    if (age && age.textContent !== text) age.textContent = text;
  });
}

/** The buttons, F1 to F3. */
export function drawButtons(v: View, p: Picture, w: Words, armed: boolean, press: (action: string) => void): void {
  const texts = v.actions.map((a) => p.labels?.[a] ?? say(w, `action.${a}`));
  redraw("buttons", [v.id, v.actions, texts], () =>
    texts.map((text, i) => {
      const b = document.createElement("button");
      b.type = "button";
      b.append(made("u", "", `F${i + 1}`), text);
      b.onclick = () => {
        press(v.actions[i] ?? "");
      };
      return b;
    }),
  );
  for (const b of el("buttons").querySelectorAll("button")) if (b.disabled === armed) b.disabled = !armed;
}
