// The texts of a view.
import { clock, say, type Words } from "../words";

export interface View {
  look: string;
  id: string;
  since?: string;
  screening_c?: number;
  reasons?: string[];
  instruction?: string;
  class?: string;
  direction?: string;
  kind?: string;
  gone?: boolean;
  lane?: string;
  lanes?: string[]; // of a gate with several
  entered?: string; // the kind of thermometer that the guard read the temperature off
  until?: string; // when it is too late for what is asked
  asks?: string; // of an idle gate
  occupied?: boolean; // who is asked to be measured must step back first
  actions: string[];
  waiting: number;
  sound?: string;
  muted?: string;
  strips: Strip[];
  test?: boolean; // of the page's own
}

export interface Strip {
  look: string;
  kind?: string;
  lane?: string;
  since?: string;
  until?: string;
}

export interface Person {
  seq: number;
  at?: string; // absent: not known
  look: string;
  screening_c?: number;
  class?: string;
  direction?: string;
}

export interface Lamps {
  thermometer: string;
  reader: string;
  county: boolean;
  pending: number;
  kept: boolean;
}

export interface Gate {
  title: string;
  agent: string;
  version: string;
}

const reds = ["fever", "sealed", "fault", "unknown", "offline", "cut"];
const ambers = ["refuse", "invalid", "retest", "apart", "unread"];

/** Light, amber or red. */
export function tone(look: string): string {
  if (reds.includes(look)) return "red";
  return ambers.includes(look) ? "amber" : "light";
}

export interface Description {
  headline: string;
  value: string; // a temperature, or the seconds that are left
  unit: string;
  detail: string;
  person: string;
  extra: string;
}

/** Seconds until the visit times out, rounded up. */
export const left = (until: string | undefined, now: number): number =>
  until ? Math.max(0, Math.ceil((Date.parse(until) - now) / 1000)) : 0;

// Reasons that are the message, with what to do about them.
const messages = [
  "no-temperature",
  "no-card",
  "lost-card",
  "expired",
  "not-yet-valid",
  "direction",
  "outside-hours",
  "quota-used",
  "uses-up",
  "anti-passback",
  "purpose",
  "other-lane-first",
  "sealed-entry",
  "sealed-visit",
  "pass-forged",
  "pass-unreadable",
  "pass-elsewhere",
  "pass-not-accepted",
  "one-at-a-time",
  "no-reader",
  "no-thermometer",
];

export function describe(w: Words, v: View, now: number): Description {
  const d: Description = {
    headline: say(w, `look.${v.look}`),
    value: "",
    unit: "°C",
    detail: "",
    person: "",
    extra: "",
  };
  const reason = v.reasons?.[0] ?? "";
  if (v.screening_c !== undefined) d.value = v.screening_c.toFixed(1);
  const n = left(v.until, now);
  switch (v.look) {
    case "idle":
      if (v.asks && v.asks !== "both") d.headline = say(w, `asks.${v.asks}`);
      d.detail = say(w, "idle.detail");
      break;
    case "tapped":
      [d.value, d.unit, d.detail] = [
        String(n),
        say(w, "unit.s"),
        say(w, v.occupied ? "tapped.occupied" : "tapped.detail"),
      ];
      break;
    case "measured":
      d.detail = say(w, "measured.detail", { n });
      break;
    case "apart":
      [d.value, d.unit, d.detail, d.extra] = ["", "", say(w, "apart.detail"), say(w, "apart.until", { n })];
      break;
    case "unread":
      d.detail = say(w, "unread.detail");
      break;
    case "pass":
      if (reason === "not-measured") d.headline = say(w, "pass.not-measured");
      d.detail = (v.reasons ?? [])
        .slice(1)
        .filter((r) => r !== "entered") // the line of the person says with what
        .map((r) => say(w, `reason.${r}`))
        .join(" · ");
      break;
    case "invalid":
      if (reason !== "too-cold") d.headline = say(w, "invalid.other");
      d.detail = say(w, `reason.${reason}`);
      break;
    case "retest":
    case "refuse":
      // The reason is the message: "card read: now the temperature".
      if (messages.includes(reason)) {
        d.headline = say(w, `reason.${reason}`);
        d.detail = w[`what.${reason}`] ?? "";
      } else if (reason) d.detail = say(w, `reason.${reason}`);
      break;
    case "fever":
      d.detail = v.instruction ? say(w, `instruction.${v.instruction}`) : "";
      break;
    case "sealed":
      d.detail = say(w, "reason.sealed-household");
      break;
    case "unknown":
      d.detail = say(w, "reason.unknown-card");
      break;
    case "fault": {
      d.headline = say(w, `fault.${v.kind}`);
      const broken = `fault.broken.${v.kind}`;
      d.detail = say(w, v.gone ? "fault.gone" : w[broken] ? broken : "fault.broken");
      break;
    }
    case "offline":
      d.headline = w[`offline.${v.kind}`] ?? d.headline;
      d.detail = say(w, "offline.detail");
      break;
    case "cut":
      d.detail = say(w, "cut.detail");
      break;
  }
  if (v.test) [d.headline, d.detail] = [say(w, `test.${v.look}`), say(w, "test.title")];
  d.person = personOf(w, v);
  const extra: string[] = d.extra ? [d.extra] : [];
  if (v.since && (v.look === "fault" || v.look === "offline"))
    extra.push(say(w, "since", { time: clock(now - Date.parse(v.since)) }));
  if (v.waiting > 0) extra.push(say(w, "waiting", { n: v.waiting }));
  d.extra = extra.join(" · ");
  return d;
}

/** Who a view is about, as far as it is known. */
export function personOf(w: Words, v: View): string {
  const person: string[] = [];
  if (v.entered) person.push(say(w, `with.${v.entered}`));
  if (v.lane) person.push(say(w, "lane", { name: v.lane }));
  if (v.class) person.push(say(w, `class.${v.class}`));
  if (v.class && v.direction) person.push(say(w, `direction.${v.direction}`));
  return person.join(" · ");
}

/** A line above the view. */
export function strip(w: Words, s: Strip, pending: number, now: number): string {
  if (s.until) {
    const lane = s.lane ? `${say(w, "lane", { name: s.lane })}：` : "";
    const asked = w[`strip.${s.look}`]
      ? say(w, `strip.${s.look}`, { n: left(s.until, now) })
      : say(w, `look.${s.look}`);
    return lane + asked;
  }
  const what = s.look === "offline" ? (w[`offline.${s.kind}`] ?? say(w, "strip.offline")) : say(w, `fault.${s.kind}`);
  const more = s.look === "offline" ? ` · ${say(w, "pending", { n: pending })}` : "";
  const since = s.since ? ` · ${say(w, "since", { time: clock(now - Date.parse(s.since)) })}` : "";
  return what + more + since;
}
