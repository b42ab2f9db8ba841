// What the guard enters off a hand-held thermometer: two digits, a point, one digit.
import { say, type Words } from "../words";
import { post, type Choice, type Form } from "./pad";
import { personOf } from "./picture";
import type { View } from "./view";

const [least, most] = [340, 429]; // tenths of a degree
const kinds = ["contact", "forehead"];
const kept = "gatehouse.with"; // the kind of thermometer that was used last

export class Entry implements Form {
  id: string;
  readonly length = 3;
  readonly idleFor = 90_000; // longer than a measurement
  private lane: string;
  private kind = remembered();
  private readonly lanes: string[]; // of a gate with several, when it is not known which

  constructor(private who: View) {
    this.id = ["idle", "measuring", "fault"].includes(who.look) ? "" : who.id;
    this.lane = who.lane ?? "";
    this.lanes = who.lanes ?? [];
  }

  texts(w: Words): { title: string; who: string; hint: string } {
    const anybody = say(w, this.lane ? "lane" : "entry.anybody", { name: this.lane });
    return { title: say(w, "entry.title"), who: personOf(w, this.who) || anybody, hint: say(w, "entry.hint") };
  }

  shown(digits: string): string {
    return `${value(digits.padEnd(3, "_"))} °C`;
  }

  word(w: Words, code: string): string {
    return say(w, `entry.${code}`);
  }

  choices(w: Words): Choice[] {
    return [
      {
        values: this.id ? [] : this.lanes,
        chosen: this.lane,
        name: (l) => say(w, "lane", { name: l }),
        take: (l) => (this.lane = l),
      },
      {
        values: kinds,
        chosen: this.kind,
        name: (k) => say(w, `with.${k}`),
        take: (k) => {
          this.kind = k;
          remember(k);
        },
      },
    ];
  }

  check(digits: string, done: boolean): string {
    if (digits.length < 3) return done ? "three" : "";
    if (!inRange(digits)) return "range";
    if (!done) return "";
    if (!this.kind) return "with";
    return this.lanes.length > 0 && !this.id && !this.lane ? "lane" : "";
  }

  send(digits: string): Promise<string> {
    return post("entry", { id: this.id, lane: this.lane, value: value(digits), with: this.kind });
  }

  /** Somebody has tapped since the pad was opened for nobody: the value is for them, and the guard sees it. */
  follow(v: View): void {
    if (this.id !== "" || v.look !== "tapped" || (this.lane && this.lane !== v.lane)) return;
    [this.id, this.who, this.lane] = [v.id, v, v.lane ?? ""];
  }
}

/** Reports whether three digits are a body temperature. */
export const inRange = (digits: string): boolean => Number(digits) >= least && Number(digits) <= most;

export const value = (digits: string): string => `${digits.slice(0, 2)}.${digits.slice(2)}`;

function remembered(): string {
  try {
    return localStorage.getItem(kept) ?? "";
  } catch {
    return "";
  }
}

function remember(kind: string): void {
  try {
    localStorage.setItem(kept, kind);
  } catch {
    // it is asked again next time
  }
}
