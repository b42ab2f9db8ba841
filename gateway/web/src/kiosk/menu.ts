// The menu of the guard: sign in, hand over, decide against a verdict, the shift's test, silence, the check of a
// thermometer. And what the agent asks of whoever is on duty: are you there, have you read the note.
import { say, type Lang, type Words } from "../words";
import { joined } from "./picture";
import { noteLines, PIN, type Override, type Post } from "./post";
import { post as tell, type Form } from "./pad";
import { sections, turn, type Section } from "./reader";
import type { Page, Tile } from "./sheet";
import { degrees, hhmm } from "./view";

/** What the menu needs of the page. */
export interface Does {
  words(): Words;
  now(): number; // ms since 1970, the agent's clock
  open(f: Form): void;
  press(action: string): Promise<string>; // what answers no alarm, such as muted
  check(device: string): Promise<string>; // begins a field check
  test(): void; // begins the shift's test
  changed(): void;
}

type Name = "menu" | "guards" | "people" | "why" | "notes" | "leave" | "help" | "section";

const idleFor = 60_000; // ms without a touch until what is open closes by itself
const readFor = 180_000; // the same of the manual

export class Menu {
  post: Post = {};
  private name: Name | "" = "";
  private which: Override | null = null;
  private chosen: string[] = []; // codes of the note that is being written
  private read = 0; // pages of the note of the guard before
  private wrong = "";
  private touched = 0;
  private manual: Section[] = []; // empty: it has not come
  private section = 0; // the one that is read

  constructor(private readonly does: Does) {}

  /** Opens the menu, or closes what is open. */
  toggle(): void {
    if (this.name) this.close();
    else this.go("menu");
    this.does.changed();
  }

  close(): void {
    [this.name, this.which, this.chosen, this.read, this.wrong] = ["", null, [], 0, ""];
  }

  /** The page that is open, or that must be confirmed while nobody is at the gate; null: none. */
  page(idle: boolean): Page | null {
    const reads = this.name === "help" || this.name === "section";
    if (this.name && performance.now() - this.touched > (reads ? readFor : idleFor)) this.close();
    if (reads && !idle) this.close(); // somebody comes
    const p = this.name ? this.opened(this.name) : idle ? this.asks() : null;
    const w = this.does.words();
    if (p && this.wrong) p.wrong = w[`post.${this.wrong}`] ?? w[`check.wrong.${this.wrong}`] ?? say(w, "post.failed");
    return p;
  }

  private opened(name: Name): Page {
    switch (name) {
      case "guards":
        return this.guards();
      case "people":
        return this.people();
      case "why":
        return this.why();
      case "notes":
        return this.notes();
      case "leave":
        return this.leave();
      case "help":
        return this.help();
      case "section":
        return this.reading(this.manual[this.section]);
    }
    return this.menu();
  }

  private go(name: Name): void {
    [this.name, this.wrong, this.touched] = [name, "", performance.now()];
    this.does.changed();
  }

  private say(key: string, values?: Record<string, string | number>): string {
    return say(this.does.words(), key, values);
  }

  private tile(key: string, act: () => void, kind?: string): Tile {
    return { text: this.say(key), kind, act };
  }

  private to(key: string, name: Name, kind?: string): Tile {
    return this.tile(key, this.go.bind(this, name), kind);
  }

  /** Does what was chosen, and closes the sheet unless something is wrong. */
  private async do(request: Promise<string>): Promise<void> {
    this.touched = performance.now();
    this.wrong = await request;
    if (!this.wrong) this.close();
    this.does.changed();
  }

  private asks(): Page | null {
    const { asked, note } = this.post;
    if (asked) {
      return {
        name: "asked",
        title: this.say("post.asked"),
        lines: [this.say("post.asked.what", { time: hhmm(asked) })],
        buttons: [this.tile("action.still-here", () => void this.do(this.does.press("still-here")), "first")],
      };
    }
    if (!note) return null;
    const pages = noteLines(this.does.words(), note);
    const at = Math.min(this.read, pages.length - 1);
    const next: Tile = {
      text: this.say("sheet.more", { n: at + 1, of: pages.length }),
      act: () => {
        this.read = at + 1;
        this.does.changed();
      },
    };
    return {
      name: "note",
      title: this.say("post.note", { name: note.from, time: hhmm(note.at) }),
      lines: pages[at],
      buttons: [
        at + 1 < pages.length
          ? next
          : this.tile("post.read", () => void this.do(this.does.press("took-over")), "first"),
      ],
    };
  }

  private menu(): Page {
    const p = this.post;
    const checks = p.checks ?? [];
    const lane = (name?: string) => (checks.length > 1 && name ? `\n${name}` : "");
    return {
      name: "menu",
      title: p.on ? this.say("guard", { name: p.on }) : this.say("action.menu"),
      tiles: [
        ...(p.guards && !p.on ? [this.to("post.signin", "guards", "first")] : []),
        ...(p.overrides ? [this.to("post.overrides", "people")] : []),
        ...(p.on ? [this.to("post.leaving", "notes")] : []),
        this.tile("action.shift-test", () => {
          this.close();
          this.does.test();
        }),
        this.tile("action.muted", () => void this.do(this.does.press("muted"))),
        ...checks.map((c) => ({
          text: this.say("post.check") + lane(c.lane),
          act: () => void this.do(this.does.check(c.device)),
        })),
        this.tile("action.help", () => void this.openHelp()),
      ],
      buttons: [
        this.tile("post.back", () => {
          this.toggle();
        }),
      ],
    };
  }

  private guards(): Page {
    return {
      name: "guards",
      title: this.say("post.signin"),
      lines: [this.say("post.signin.how")],
      tiles: (this.post.guards ?? []).map((g) => ({
        text: g,
        act: () => {
          this.close();
          this.does.open(new PIN(g, () => this.post, this.does.now));
        },
      })),
      buttons: [this.to("post.back", "menu")],
    };
  }

  private people(): Page {
    const list = this.post.overrides ?? [];
    return {
      name: "people",
      title: this.say("post.overrides"),
      lines: list.length > 0 ? [this.say("post.overrides.how")] : [this.say("post.overrides.none")],
      tiles: list.map((o) => ({
        text: [
          this.say(o.stop ? "post.stop" : "post.let", { time: hhmm(o.at) }),
          this.say(`look.${o.look}`),
          joined(
            degrees(o.screening_c),
            o.class && this.say(`class.${o.class}`),
            o.direction && this.say(`direction.${o.direction}`),
          ),
        ].join("\n"),
        act: () => {
          this.which = o;
          this.go("why");
        },
      })),
      buttons: [this.to("post.back", "menu")],
    };
  }

  private why(): Page {
    const o = this.which;
    const w = this.does.words();
    return {
      name: "why",
      title: this.say(o?.stop ? "post.stop.why" : "post.let.why", { time: hhmm(o?.at) }),
      tiles: (o?.reasons ?? []).map((r) => ({
        text: (w["lang.code"] === "zh" ? r.zh : r.en) ?? w[`override.${r.code}`] ?? r.code,
        act: () => void this.do(tell("override", { passage: o?.seq, reason: r.code })),
      })),
      buttons: [this.to("post.back", "people")],
    };
  }

  private notes(): Page {
    return {
      name: "notes",
      title: this.say("post.leave"),
      tiles: (this.post.notes ?? []).map((code) => ({
        text: this.say(`note.${code}`),
        kind: this.chosen.includes(code) ? "on" : "off",
        act: () => {
          this.chosen = this.chosen.includes(code) ? this.chosen.filter((c) => c !== code) : [...this.chosen, code];
          this.go("notes");
        },
      })),
      buttons: [this.to("post.next", "leave", "first")],
    };
  }

  private leave(): Page {
    const lines = this.chosen.map((code) => this.say(`note.${code}`));
    return {
      name: "leave",
      title: this.say("post.leave.sure", { name: this.post.on ?? "" }),
      lines: lines.length > 0 ? lines : [this.say("post.note.none")],
      buttons: [
        this.tile("post.handover", () => void this.do(tell("hand-over", { notes: this.chosen })), "first"),
        this.tile("post.signout", () => void this.do(this.does.press("sign-out"))),
        this.tile("post.back", () => {
          this.close();
          this.go("menu");
        }),
      ],
    };
  }

  /** Opens the guard's pages of the manual. */
  private async openHelp(): Promise<void> {
    this.manual = [];
    this.go("help");
    try {
      this.manual = await sections(this.say("lang.code") as Lang);
    } catch {
      this.wrong = "failed";
    }
    this.does.changed();
  }

  private help(): Page {
    return {
      name: "help",
      title: this.say("help.title"),
      tiles: this.manual.map((s, i) => ({
        text: s.title,
        act: () => {
          this.section = i;
          this.go("section");
        },
      })),
      buttons: [this.to("post.back", "menu")],
    };
  }

  private turned(key: string, by: number): Tile {
    return this.tile(key, () => {
      this.touched = performance.now();
      turn(by);
    });
  }

  private reading(s: Section | undefined): Page {
    return {
      name: "section",
      title: s?.title ?? "",
      text: s?.nodes ?? [],
      buttons: [this.turned("help.down", 1), this.turned("help.up", -1), this.to("post.back", "help")],
    };
  }
}
