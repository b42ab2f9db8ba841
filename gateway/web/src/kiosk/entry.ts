// The keys with which the guard enters what a hand-held thermometer shows: two digits, a
// point, one digit.
import { say, type Words } from "../words";
import { el, put } from "./page";
import { personOf, type View } from "./view";

const [least, most] = [340, 429]; // tenths of a degree
const idleFor = 90_000; // ms without a key until the keys close by themselves: longer than a measurement
const kinds = ["contact", "forehead"];
const kept = "gatehouse.with"; // the kind of thermometer that was used last

/** What is being entered. */
interface Open {
  id: string; // of the view that it belongs to; "" an idle gate
  lane: string;
  who: View; // as it was when the keys were opened
  digits: string;
  error: string;
  busy: boolean;
  touched: number;
}

export class Entry {
  private open: Open | null = null;
  private kind: string;
  private lanes: string[] = []; // of the gate, where there are several

  constructor(
    private readonly words: () => Words,
    private readonly changed: () => void,
  ) {
    this.kind = remembered();
  }

  get showing(): boolean {
    if (this.open && performance.now() - this.open.touched > idleFor) this.open = null;
    return this.open !== null;
  }

  /** Opens the keys for the person of a view. */
  begin(v: View): void {
    const id = v.look === "idle" || v.look === "measuring" ? "" : v.id;
    this.open = { id, lane: v.lane ?? "", who: v, digits: "", error: "", busy: false, touched: performance.now() };
    this.changed();
  }

  /** Somebody has tapped since the keys were opened for nobody: the value is for them, and the guard sees it. */
  follow(v: View): void {
    if (this.open?.id !== "" || v.look !== "tapped" || (this.open.lane && this.open.lane !== v.lane)) return;
    [this.open.id, this.open.who, this.open.lane] = [v.id, v, v.lane ?? ""];
  }

  close(): void {
    this.open = null;
    this.changed();
  }

  /** Takes a key of a keyboard; false: it means nothing here. */
  key(key: string): boolean {
    if (/^\d$/.test(key)) this.digit(key);
    else if (key === "Backspace") this.back();
    else if (key === "Enter" || key === "F1") void this.send();
    else if (key === "Escape" || key === "F3") this.close();
    else return false;
    return true;
  }

  private digit(d: string): void {
    const o = this.open;
    if (!o || o.busy || (o.digits.length >= 3 && !o.error)) return;
    o.digits = o.digits.length >= 3 ? d : o.digits + d; // after an error the next digit begins anew
    [o.error, o.touched] = ["", performance.now()];
    if (o.digits.length === 3 && !inRange(o.digits)) o.error = "range";
    this.changed();
  }

  private back(): void {
    if (!this.open) return;
    [this.open.digits, this.open.error] = [this.open.digits.slice(0, -1), ""];
    this.open.touched = performance.now();
    this.changed();
  }

  private async send(): Promise<void> {
    const o = this.open;
    if (!o || o.busy) return;
    o.touched = performance.now();
    o.error = o.digits.length < 3 ? "three" : !inRange(o.digits) ? "range" : "";
    if (!o.error && !this.kind) o.error = "with";
    if (!o.error && this.lanes.length > 0 && !o.id && !o.lane) o.error = "lane";
    if (!o.error) {
      o.busy = true;
      o.error = await post({ id: o.id, lane: o.lane, value: value(o.digits), with: this.kind });
      o.busy = false;
      if (!o.error && this.open === o) this.open = null;
    }
    this.changed();
  }

  /** Draws the keys, where they are open and nothing more important fills the screen. */
  draw(v: View, visible: boolean): void {
    const o = this.open;
    el("entry").hidden = !o || !visible;
    if (!o || !visible) return;
    this.lanes = v.lanes ?? [];
    el("entry").className = this.lanes.length > 0 && !o.id ? "lanes" : "";
    const w = this.words();
    put("entrytitle", say(w, "entry.title"));
    put("entrywho", personOf(w, o.who) || say(w, o.lane ? "lane" : "entry.anybody", { name: o.lane }));
    put("entryvalue", value(o.digits.padEnd(3, "_")));
    put("entryerror", o.error ? say(w, `entry.${o.error}`) : say(w, "entry.hint"));
    el("entryerror").className = o.error ? "bad" : "";
    this.drawChoice(
      "entrywith",
      kinds,
      this.kind,
      (k) => say(w, `with.${k}`),
      (k) => {
        this.kind = k;
        remember(k);
      },
    );
    this.drawChoice(
      "entrylane",
      o.id ? [] : this.lanes,
      o.lane,
      (l) => say(w, "lane", { name: l }),
      (l) => {
        o.lane = l;
      },
    );
    const key = `${say(w, "entry.ok")} ${o.busy}`;
    if (el("entrykeys").dataset.value === key) return;
    el("entrykeys").dataset.value = key;
    const button = (text: string, label: string, act: () => void, hint = "") => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = text;
      b.disabled = o.busy;
      if (label) b.setAttribute("aria-label", label);
      if (hint) b.append(Object.assign(document.createElement("span"), { textContent: hint }));
      b.onclick = act;
      return b;
    };
    const digit = (d: string) =>
      button(d, "", () => {
        this.digit(d);
      });
    el("entrykeys").replaceChildren(
      ..."123456789".split("").map(digit),
      button("⌫", say(w, "entry.back"), () => {
        this.back();
      }),
      digit("0"),
    );
    el("entrydo").replaceChildren(
      button(say(w, "entry.ok"), "", () => void this.send(), "F1"),
      button(
        say(w, "entry.cancel"),
        "",
        () => {
          this.close();
        },
        "F3",
      ),
    );
  }

  private drawChoice(
    id: string,
    list: string[],
    chosen: string,
    name: (x: string) => string,
    take: (x: string) => void,
  ) {
    const box = el(id);
    box.hidden = list.length === 0;
    const key = JSON.stringify([list.map(name), chosen]);
    if (box.dataset.value === key) return;
    box.dataset.value = key;
    box.replaceChildren(
      ...list.map((x) => {
        const b = document.createElement("button");
        b.type = "button";
        b.textContent = name(x);
        b.setAttribute("aria-pressed", String(x === chosen));
        b.onclick = () => {
          take(x);
          if (this.open) [this.open.error, this.open.touched] = ["", performance.now()];
          this.changed();
        };
        return b;
      }),
    );
  }
}

const value = (digits: string): string => `${digits.slice(0, 2)}.${digits.slice(2)}`;
const inRange = (digits: string): boolean => Number(digits) >= least && Number(digits) <= most;

/** Sends a value; returns "" or the code of what to do. */
async function post(body: object): Promise<string> {
  try {
    const r = await fetch("entry", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return r.ok ? "" : ((await r.text()).split(":")[0] ?? "failed");
  } catch {
    return "failed";
  }
}

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
