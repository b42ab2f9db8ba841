// The post of a gate as the agent sends it, a guard's PIN, and what the guard before has left.
import { say, type Words } from "../words";
import { post as tell, type Choice, type Form } from "./pad";
import { hhmm, left, type Person, type Waiter } from "./view";

/** What the agent sends of the post. edge/kiosk/post.go makes it. */
export interface Post {
  guards?: string[];
  on?: string;
  since?: string;
  asked?: string; // until when somebody must press "still here"
  wait?: string; // until when no PIN is taken
  note?: Note;
  notes?: string[];
  overrides?: Override[];
  checks?: { device: string; lane?: string }[]; // thermometers that can be compared with a contact thermometer
}

export interface Note {
  from: string;
  at?: string;
  notes: string[];
  open: string[];
  waits?: Waiter[];
  hand: boolean;
}

export interface Override extends Person {
  stop: boolean;
  reasons: { code: string; zh?: string; en?: string }[];
}

/** A guard's PIN. */
export class PIN implements Form {
  readonly id = "";
  readonly length = 8;
  readonly idleFor = 30_000;
  constructor(
    private readonly guard: string,
    private readonly post: () => Post,
    private readonly now: () => number,
  ) {}

  texts(w: Words): { title: string; who: string; hint: string } {
    const wait = left(this.post().wait, this.now());
    const hint = wait > 0 ? say(w, "post.wait.left", { n: String(wait) }) : say(w, "post.pin.hint");
    return { title: say(w, "post.pin.title"), who: this.guard, hint };
  }

  shown(digits: string): string {
    return "●".repeat(digits.length) || "____";
  }

  word(w: Words, code: string): string {
    return say(w, `post.${code}`);
  }

  choices(): Choice[] {
    return [];
  }

  check(digits: string, done: boolean): string {
    return done && digits.length < 4 ? "short" : "";
  }

  send(digits: string): Promise<string> {
    return tell("sign-in", { guard: this.guard, pin: digits });
  }
}

const linesMost = 7; // that fit

/** What holds now, and what the guard before has left, in pages. */
export function noteLines(w: Words, n: Note): string[][] {
  const lines = [
    ...(n.waits ?? []).map((x) => say(w, "post.waits", { who: waiter(w, x) })),
    ...n.open.map((id) => say(w, "post.open", { what: alarm(w, id) })),
    ...(n.hand ? [say(w, "post.hand")] : []),
    ...(n.notes.length > 0 ? n.notes.map((c) => say(w, `note.${c}`)) : [say(w, "post.note.none")]),
  ];
  const pages = Math.ceil(lines.length / linesMost);
  return Array.from({ length: pages }, (_, i) => lines.slice(i * linesMost, (i + 1) * linesMost));
}

function waiter(w: Words, x: Waiter): string {
  const value = x.screening_c === undefined ? "" : `${x.screening_c.toFixed(1)} °C`;
  return [value, x.class ? say(w, `class.${x.class}`) : "", hhmm(x.ready)].filter(Boolean).join(" · ");
}

function alarm(w: Words, id: string): string {
  const [type = "", of = ""] = id.split(":");
  const role = `role.${of.replace(/-\d+$/, "")}`;
  const about = type === "help-called" && role in w ? say(w, role) : of;
  const key = `open.${type}`;
  return `${key in w ? say(w, key) : type}${about && !/^\d+$/.test(about) ? ` ${about}` : ""}`;
}
