// What a view says, in words.
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
  actions: string[];
  waiting: number;
  sound?: string;
  muted?: string;
  strips: { look: string; kind?: string; since: string }[];
  test?: boolean; // of the page's own
}

export interface Person {
  seq: number;
  at: string;
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
const ambers = ["refuse", "invalid", "retest"];

/** Light, amber or red. */
export function tone(look: string): string {
  if (reds.includes(look)) return "red";
  return ambers.includes(look) ? "amber" : "light";
}

export interface Description {
  headline: string;
  temperature: string;
  detail: string;
  person: string;
  extra: string;
}

export function describe(w: Words, v: View, now: number): Description {
  const d: Description = { headline: say(w, `look.${v.look}`), temperature: "", detail: "", person: "", extra: "" };
  const reason = v.reasons?.[0] ?? "";
  if (v.test) d.detail = say(w, "test.title");
  if (v.screening_c !== undefined) d.temperature = v.screening_c.toFixed(1);
  switch (v.look) {
    case "invalid":
      d.detail = say(w, `reason.${reason}`);
      break;
    case "retest":
    case "refuse":
      // The reason is the message: "card read: now the temperature".
      if (["no-temperature", "no-card", "lost-card", "expired", "not-yet-valid", "direction"].includes(reason)) d.headline = say(w, `reason.${reason}`);
      else if (reason) d.detail = say(w, `reason.${reason}`);
      break;
    case "fever":
    case "sealed":
      d.detail = v.instruction ? say(w, `instruction.${v.instruction}`) : d.detail;
      if (v.look === "sealed") d.detail = say(w, "reason.sealed-household");
      break;
    case "unknown":
      d.detail = say(w, "reason.unknown-card");
      break;
    case "fault": {
      d.headline = say(w, `fault.${v.kind}`);
      d.detail = v.kind === "journal" ? "" : say(w, v.gone ? "fault.gone" : "fault.broken");
      break;
    }
    case "offline":
      d.detail = say(w, "offline.detail");
      break;
    case "cut":
      d.detail = say(w, "cut.detail");
      break;
  }
  if (v.class) d.person = say(w, `class.${v.class}`) + (v.direction ? ` · ${say(w, `direction.${v.direction}`)}` : "");
  const extra: string[] = [];
  if (v.since && (v.look === "fault" || v.look === "offline")) extra.push(say(w, "since", { time: clock(now - Date.parse(v.since)) }));
  if (v.waiting > 0) extra.push(say(w, "waiting", { n: v.waiting }));
  d.extra = extra.join(" · ");
  return d;
}
