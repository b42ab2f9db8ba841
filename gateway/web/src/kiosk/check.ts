// The steps of a field check, and the pad for what the contact thermometer shows.
import { say, type Words } from "../words";
import { inRange, value } from "./entry";
import { post, type Choice, type Form } from "./pad";
import { degrees, type View } from "./view";

/** What the buttons of a field check do at the agent, which records each step. */
export const checkStep: Record<string, string | undefined> = {
  check: "begin",
  "check-again": "again",
  "check-end": "end",
  "check-close": "end",
};

export class CheckEntry implements Form {
  readonly id: string;
  readonly length = 3;
  readonly idleFor = 600_000; // a contact thermometer takes five minutes in the armpit

  constructor(private readonly v: View) {
    this.id = v.id;
  }

  texts(w: Words): { title: string; who: string; hint: string } {
    const c = this.v.check;
    const n = { n: (c?.pairs ?? 0) + 1, of: c?.needed ?? 0 };
    const read = c?.screening_c === undefined ? "" : ` · ${degrees(c.screening_c)} °C`;
    return { title: say(w, "check.entry"), who: say(w, "check.person.short", n) + read, hint: say(w, "entry.hint") };
  }

  shown(digits: string): string {
    return `${value(digits.padEnd(3, "_"))} °C`;
  }

  word(w: Words, code: string): string {
    return w[`check.wrong.${code}`] ?? say(w, `entry.${code}`);
  }

  choices(): Choice[] {
    return [];
  }

  check(digits: string, done: boolean): string {
    if (digits.length < 3) return done ? "three" : "";
    return inRange(digits) ? "" : "range";
  }

  send(digits: string): Promise<string> {
    return post("check", { device: this.v.device ?? "", do: "contact", value: value(digits) });
  }
}
