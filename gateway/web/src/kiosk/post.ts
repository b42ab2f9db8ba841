// The guards of a gate: who signs in, what one leaves to the next, decisions against a verdict, "still here?".
import { say, type Words } from "../words";
import { post as tell, type Choice, type Form } from "./pad";
import { el, made, put, redraw } from "./page";
import { hhmm, left, type Person, type Waiter } from "./view";

/** What the agent sends of the post. edge/kiosk/post.go makes it. */
export interface Post {
  guards?: string[];
  on?: string;
  since?: string;
  asked?: string; // until when somebody must press "still here"
  wait?: string; // until when no PIN is taken
  note?: { from: string; at?: string; notes: string[]; open: string[]; waits?: Waiter[]; hand: boolean };
  notes?: string[];
  overrides?: Override[];
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
    return { title: say(w, "post.signin"), who: this.guard, hint };
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

/** The sheet over the screen on which a guard chooses. */
export class Sheet {
  private page: "" | "menu" | "over" = "";
  private which: Override | null = null;
  private chosen: string[] = [];
  private wrong = "";

  constructor(
    private readonly words: () => Words,
    private readonly open: (f: Form) => void,
    private readonly now: () => number,
    private readonly press: (action: string) => Promise<string>,
    private readonly changed: () => void,
  ) {}

  post: Post = {};

  /** Opens the sheet, or closes it. */
  toggle(): void {
    [this.page, this.which, this.chosen, this.wrong] = [this.page ? "" : "menu", null, [], ""];
    this.changed();
  }

  close(): void {
    [this.page, this.which, this.wrong] = ["", null, ""];
  }

  /** Draws the sheet where it is open or something must be confirmed; a red verdict comes before that. */
  draw(red: boolean, padded: boolean): void {
    const p = this.post;
    const page = this.page || (red ? "" : p.asked ? "asked" : p.note ? "note" : "");
    el("post").hidden = page === "" || padded;
    if (page === "" || padded) return;
    redraw("postbody", [page, this.which, this.chosen, this.wrong, p, say(this.words(), "post.menu")], () =>
      page === "asked" ? this.asked() : page === "note" ? this.note() : this.menu(),
    );
  }

  private button(text: string, kind: string, act: () => void): HTMLElement {
    const b = made("button", kind, text) as HTMLButtonElement;
    b.type = "button";
    b.onclick = act;
    return b;
  }

  private async do(request: Promise<string>): Promise<void> {
    this.wrong = await request;
    if (!this.wrong) this.close();
    this.changed();
  }

  private title(text: string): void {
    put("posttitle", text);
  }

  private asked(): Node[] {
    const w = this.words();
    this.title(say(w, "post.asked"));
    return [
      made("p", "", say(w, "post.asked.what", { time: hhmm(this.post.asked) })),
      this.button(say(w, "post.here"), "first", () => void this.do(this.press("still-here"))),
    ];
  }

  private note(): Node[] {
    const w = this.words();
    const n = this.post.note ?? { from: "", notes: [], open: [], hand: false };
    this.title(say(w, "post.note", { name: n.from, time: hhmm(n.at) }));
    const lines = [
      ...(n.waits ?? []).map((x) => say(w, "post.waits", { who: this.waiter(x) })),
      ...(n.notes.length > 0 ? n.notes.map((c) => say(w, `note.${c}`)) : [say(w, "post.note.none")]),
      ...n.open.map((id) => say(w, "post.open", { what: this.alarm(id) })),
      ...(n.hand ? [say(w, "post.hand")] : []),
    ];
    return [
      made("ul", "", ...lines.slice(0, 8).map((l) => made("li", "", l))),
      this.button(say(w, "post.read"), "first", () => void this.do(this.press("took-over"))),
    ];
  }

  private waiter(x: Waiter): string {
    const value = x.screening_c === undefined ? "" : x.screening_c.toFixed(1);
    return [value, x.class ? say(this.words(), `class.${x.class}`) : ""].join(" ").trim();
  }

  private alarm(id: string): string {
    const [type = "", of = ""] = id.split(":");
    const role = `role.${of.replace(/-\d+$/, "")}`;
    const about = type === "help-called" && role in this.words() ? say(this.words(), role) : of;
    const key = `open.${type}`;
    const words = this.words();
    return `${key in words ? say(words, key) : type}${about && !/^\d+$/.test(about) ? ` ${about}` : ""}`;
  }

  private menu(): Node[] {
    const w = this.words();
    const p = this.post;
    const back = this.button(say(w, "post.back"), "back", () => {
      this.toggle();
    });
    const wrong = this.wrong ? [made("p", "bad", say(w, `post.${this.wrong}`))] : [];
    if (this.which) return [...this.reasons(this.which), ...wrong, back];
    if (p.guards && !p.on) {
      this.title(say(w, "post.signin"));
      const guards = p.guards.map((g) =>
        this.button(g, "", () => {
          this.close();
          this.open(new PIN(g, () => this.post, this.now));
        }),
      );
      return [made("p", "", say(w, "post.signin.how")), made("div", "grid", ...guards), back];
    }
    this.title(say(w, "post.menu"));
    const parts: Node[] = [...wrong];
    if (p.overrides) parts.push(made("h3", "", say(w, "post.overrides")), this.people(p.overrides));
    if (p.on) parts.push(...this.leaving(p));
    return [...parts, back];
  }

  private people(list: Override[]): HTMLElement {
    const w = this.words();
    return made(
      "div",
      "grid",
      ...list.map((o) =>
        this.button(
          say(w, o.stop ? "post.stop" : "post.let", {
            time: hhmm(o.at),
            what: [say(w, `look.${o.look}`), o.screening_c?.toFixed(1) ?? ""].join(" "),
          }),
          o.stop ? "stop" : "",
          () => {
            this.which = o;
            this.changed();
          },
        ),
      ),
    );
  }

  private reasons(o: Override): Node[] {
    const w = this.words();
    this.title(say(w, o.stop ? "post.stop.why" : "post.let.why", { time: hhmm(o.at) }));
    const zh = say(w, "lang.code") === "zh";
    const name = (r: Override["reasons"][number]) => {
      const key = `override.${r.code}`;
      return (zh ? r.zh : r.en) ?? (key in w ? say(w, key) : r.code);
    };
    return [
      made(
        "div",
        "grid",
        ...o.reasons.map((r) =>
          this.button(name(r), "", () => void this.do(tell("override", { passage: o.seq, reason: r.code }))),
        ),
      ),
    ];
  }

  private leaving(p: Post): Node[] {
    const w = this.words();
    const notes = (p.notes ?? []).map((code) => {
      const b = this.button(say(w, `note.${code}`), "", () => {
        this.chosen = this.chosen.includes(code) ? this.chosen.filter((c) => c !== code) : [...this.chosen, code];
        this.changed();
      });
      b.setAttribute("aria-pressed", String(this.chosen.includes(code)));
      return b;
    });
    return [
      made("h3", "", say(w, "post.leave")),
      made("div", "grid", ...notes),
      this.button(say(w, "post.handover"), "first", () => void this.do(tell("hand-over", { notes: this.chosen }))),
    ];
  }
}
