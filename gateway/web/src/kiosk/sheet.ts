// A sheet over the screen: lines to read, tiles to choose from, and at most three buttons, which F1 to F3 press.
import { say, type Words } from "../words";
import { el, made, put, redraw } from "./page";

export interface Tile {
  text: string;
  kind?: string; // first: what is usually chosen; on: it is chosen
  act(): void;
}

export interface Page {
  name: string; // tells one page from the next
  title: string;
  lines?: string[];
  text?: Node[]; // of the manual; it is scrolled
  wrong?: string; // what can't be done, and why
  tiles?: Tile[]; // the buttons before those of the page are then: the next tile, and choose it
  buttons: Tile[];
}

const perPage = 8;

export class Sheet {
  private name = "";
  private at = 0; // the tile that is marked
  private first = 0; // of the tiles that are shown
  private buttons: Tile[] = [];

  constructor(private readonly changed: () => void) {}

  /** Draws a page; null: none is open. */
  draw(p: Page | null, w: Words): void {
    el("post").hidden = !p;
    el("post").className = p?.name ?? "";
    this.buttons = [];
    if (!p) {
      this.name = "";
      return;
    }
    if (p.name !== this.name) [this.name, this.at, this.first] = [p.name, 0, 0];
    const tiles = this.shown(p.tiles ?? [], w);
    this.at = Math.min(this.at, Math.max(0, tiles.length - 1));
    const [first] = p.buttons;
    this.buttons = [...this.choosing(tiles, w, first?.kind === "first" ? "" : "first"), ...p.buttons];
    put("posttitle", p.title);
    redraw("postlines", [p.lines, p.wrong], () => [
      ...(p.lines ?? []).map((l) => made("li", "", l)),
      ...(p.wrong ? [made("li", "bad", p.wrong)] : []),
    ]);
    el("posttext").hidden = !p.text;
    redraw("posttext", p.text ? [p.name, p.title] : null, () => {
      el("posttext").scrollTop = 0;
      return p.text ?? [];
    });
    el("posttiles").className = tiles.length > 6 ? "four" : "";
    redraw("posttiles", [p.name, tiles, this.at], () =>
      tiles.map((t, i) => {
        const b = this.button(t, i === this.at ? " at" : "", "");
        if (t.kind === "on" || t.kind === "off") b.setAttribute("aria-pressed", String(t.kind === "on"));
        return b;
      }),
    );
    redraw("postdo", [p.name, this.buttons], () => this.buttons.map((t, i) => this.button(t, "", `F${i + 1}`)));
  }

  get open(): boolean {
    return this.name !== "";
  }

  /** Presses one of the buttons. */
  press(i: number): void {
    this.buttons[i]?.act();
  }

  /** The tiles that fit, with one for the others. */
  private shown(all: Tile[], w: Words): Tile[] {
    if (all.length <= perPage) return all;
    const [from, size] = [this.first, perPage - 1];
    const n = Math.ceil(all.length / size);
    const more: Tile = {
      text: say(w, "sheet.more", { n: from / size + 1, of: n }),
      act: () => {
        [this.first, this.at] = [from + size < all.length ? from + size : 0, 0];
        this.changed();
      },
    };
    return [...all.slice(from, from + size), more];
  }

  private choosing(tiles: Tile[], w: Words, kind: string): Tile[] {
    if (tiles.length === 0) return [];
    const next = () => {
      this.at = (this.at + 1) % tiles.length;
      this.changed();
    };
    return [
      { text: say(w, "sheet.next"), act: next },
      { text: say(w, "sheet.choose"), kind, act: () => tiles[this.at]?.act() },
    ];
  }

  private button(t: Tile, more: string, key: string): HTMLElement {
    const b = made("button", (t.kind ?? "") + more, t.text) as HTMLButtonElement;
    b.type = "button";
    if (key) b.prepend(made("u", "", key));
    b.onclick = () => {
      t.act();
    };
    return b;
  }
}
