// The number pad: digits, a line of what is wrong, choices, OK and cancel. A form says what is asked for.
import { say, type Words } from "../words";
import { changed, el, put } from "./page";
import type { View } from "./view";

export interface Choice {
  values: string[];
  chosen: string;
  name(value: string): string;
  take(value: string): void;
}

/** What a pad asks for. Codes of what is wrong are "" where nothing is. */
export interface Form {
  readonly id: string; // of the view that it is about; "": of none
  readonly length: number; // digits at most
  readonly idleFor: number; // ms without a key until the pad closes by itself
  texts(w: Words): { title: string; who: string; hint: string };
  shown(digits: string): string;
  word(w: Words, code: string): string; // what to do about a code
  choices(w: Words): Choice[]; // two at most
  check(digits: string, done: boolean): string; // after each digit, and before it is sent
  send(digits: string): Promise<string>;
  follow?(v: View): void; // the screen shows something else
}

export class Pad {
  private form: Form | null = null;
  private digits = "";
  private wrong = ""; // a code
  private busy = false;
  private touched = 0;

  constructor(
    private readonly words: () => Words,
    private readonly changed: () => void,
  ) {}

  /** Reports whether the pad is open, and may cover a view: a red one only where the pad is about it. */
  over(id: string, red: boolean): boolean {
    if (this.form && performance.now() - this.touched > this.form.idleFor) this.form = null;
    return this.form !== null && (!red || this.form.id === id);
  }

  open(form: Form): void {
    [this.form, this.digits, this.wrong, this.busy, this.touched] = [form, "", "", false, performance.now()];
    this.changed();
  }

  close(): void {
    this.form = null;
    this.changed();
  }

  follow(v: View): void {
    this.form?.follow?.(v);
  }

  /** Takes a key of a keyboard; false: it means nothing here. */
  key(key: string): boolean {
    if (/^\d$/.test(key)) this.digit(key);
    else if (key === "Backspace") this.back();
    else if (key === "Enter" || key === "F1") void this.send();
    else if (key === "F2") this.choose();
    else if (key === "Escape" || key === "F3") this.close();
    else return false;
    return true;
  }

  /** The choice that F2 makes: the first that nobody has made, else the last. */
  private next(): { of: Choice; value: string } | undefined {
    const all = (this.form?.choices(this.words()) ?? []).filter((c) => c.values.length > 0);
    const of = all.find((c) => !c.chosen) ?? all.at(-1);
    const value = of?.values[(of.values.indexOf(of.chosen) + 1) % of.values.length];
    return of && value !== undefined ? { of, value } : undefined;
  }

  private choose(): void {
    const next = this.next();
    if (!next || this.busy) return;
    next.of.take(next.value);
    [this.wrong, this.touched] = ["", performance.now()];
    this.changed();
  }

  private digit(d: string): void {
    const f = this.form;
    if (!f || this.busy || (this.digits.length >= f.length && !this.wrong)) return;
    this.digits = this.digits.length >= f.length ? d : this.digits + d; // after an error the next digit begins anew
    this.touched = performance.now();
    this.wrong = f.check(this.digits, false);
    this.changed();
  }

  private back(): void {
    if (!this.form || this.busy) return;
    [this.digits, this.wrong, this.touched] = [this.digits.slice(0, -1), "", performance.now()];
    this.changed();
  }

  private async send(): Promise<void> {
    const f = this.form;
    if (!f || this.busy) return;
    this.touched = performance.now();
    this.wrong = f.check(this.digits, true);
    if (!this.wrong) {
      this.busy = true;
      const wrong = await f.send(this.digits);
      if (this.form !== f) return; // it was closed, or another was opened
      [this.busy, this.wrong] = [false, wrong];
      if (!wrong) this.form = null;
    }
    this.changed();
  }

  draw(visible: boolean): void {
    const f = this.form;
    el("pad").hidden = !f || !visible;
    if (!f || !visible) return;
    const w = this.words();
    const texts = f.texts(w);
    put("padtitle", texts.title);
    put("padwho", texts.who);
    const shown = f.shown(this.digits);
    put("padvalue", shown);
    el("padvalue").className = shown.length > 7 ? "long" : "";
    put("padwrong", this.wrong ? f.word(w, this.wrong) : texts.hint);
    el("padwrong").className = this.wrong ? "bad" : "";
    const choices = f.choices(w).filter((c) => c.values.length > 0);
    el("pad").className = ["roomy", "", "tight"][choices.length] ?? "tight";
    const next = this.next();
    ["padchoice1", "padchoice2"].forEach((id, i) => {
      const c = choices[i];
      this.drawChoice(id, c, c && next?.of.values === c.values ? next.value : "");
    });
    this.drawKeys(w);
  }

  private drawKeys(w: Words): void {
    const key = `${say(w, "pad.ok")} ${this.busy}`;
    if (!changed("padkeys", key)) return;
    const button = (text: string, label: string, hint: string, act: () => void) => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = text;
      b.disabled = this.busy;
      if (label) b.setAttribute("aria-label", label);
      if (hint) b.append(Object.assign(document.createElement("u"), { textContent: hint }));
      b.onclick = act;
      return b;
    };
    const digit = (d: string) =>
      button(d, "", "", () => {
        this.digit(d);
      });
    const back = button("⌫", say(w, "pad.back"), "", () => {
      this.back();
    });
    const ok = button(say(w, "pad.ok"), "", "F1", () => void this.send());
    const cancel = button(say(w, "pad.cancel"), "", "F3", () => {
      this.close();
    });
    el("padkeys").replaceChildren(..."123456789".split("").map(digit), back, digit("0"));
    el("paddo").replaceChildren(ok, cancel);
  }

  private drawChoice(id: string, c: Choice | undefined, next: string): void {
    const box = el(id);
    box.hidden = !c;
    const key = c ? [c.values.map((v) => c.name(v)), c.chosen, next] : "";
    if (!changed(id, key)) return;
    box.replaceChildren(
      ...(c?.values ?? []).map((value) => {
        const b = document.createElement("button");
        b.type = "button";
        b.textContent = c?.name(value) ?? "";
        if (value === next) b.prepend(Object.assign(document.createElement("u"), { textContent: "F2" }));
        b.setAttribute("aria-pressed", String(value === c?.chosen));
        b.onclick = () => {
          c?.take(value);
          [this.wrong, this.touched] = ["", performance.now()];
          this.changed();
        };
        return b;
      }),
    );
  }
}

/** Posts JSON; returns "" or the code of what went wrong: it stands before the colon of the answer. */
export async function post(path: string, body: object): Promise<string> {
  try {
    const r = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return r.ok ? "" : ((await r.text()).split(":")[0] ?? "failed");
  } catch {
    return "failed";
  }
}
