// One picture for each state of the screen: what it says, and what is to be done.
import { say, type Words } from "../words";
import { degrees, hhmm, type Gate, type View } from "./view";

/** light: nothing to decide; blue: somebody is asked for something; go, amber, red: verdicts and alarms. */
export type Tone = "light" | "blue" | "go" | "amber" | "red";

export interface Picture {
  headline: string; // one line, made smaller where it is too long
  order: string; // one order: what the person does and what the guard does; at most two lines
  value?: string; // beside the icon, as large as there is room
  unit?: string;
  note?: string; // beside the icon where there is no value; a line break begins a line
  phones?: [name: string, phone: string][]; // beside the icon, instead
  line?: string; // who it is about, the reason, since when
  bar?: boolean; // how much of the time until view.until is left
  icon?: string; // another than the state's
  labels?: Record<string, string>; // of buttons, by action, where it is not action.<action>
}

/** What a state is drawn from. */
export interface Seen {
  w: Words;
  v: View;
  gate: Gate;
  now: number; // ms since 1970, the agent's clock
}

/** A state of the screen. Its key in a table of states is the look of a view. */
export interface State {
  tone: Tone;
  icon: string;
  draw(x: Seen): Picture;
}

export type States = Record<string, State>;

/** Joins what is known of a line. */
export const joined = (...parts: (string | undefined)[]): string => parts.filter(Boolean).join(" · ");

/** Who a view is about, as far as it is known. */
export function personOf(w: Words, v: View): string {
  return joined(
    v.entered && say(w, `with.${v.entered}`),
    v.lane && say(w, "lane", { name: v.lane }),
    v.class && say(w, `class.${v.class}`),
    v.class && v.shown,
    v.class && v.direction && say(w, `direction.${v.direction}`),
  );
}

/** The line of somebody whom the guard must answer about: who, when, and the place among the alarms. */
export function alarmLine({ w, v }: Seen, ...more: (string | undefined)[]): string {
  const place = (v.unanswered ?? 0) > 1 ? say(w, "place", { n: 1, of: v.unanswered ?? 1 }) : "";
  return joined(personOf(w, v), hhmm(v.since), ...more, place);
}

/** The temperature of a view, as a value. */
export const temperature = (v: View): Pick<Picture, "value" | "unit"> =>
  v.screening_c === undefined ? {} : { value: degrees(v.screening_c), unit: "°C" };
