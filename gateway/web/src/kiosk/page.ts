// Elements of the page and their texts.

export function el(id: string): HTMLElement {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no ${id}`);
  return e;
}

export function put(id: string, text: string): void {
  const e = el(id);
  if (e.textContent !== text) e.textContent = text;
}

const drawn = new Map<string, string>(); // what the children of an element were made from, by the element's id

/** Reports whether the children of an element must be made again: what they are made from has changed. */
export function changed(id: string, from: unknown): boolean {
  const key = JSON.stringify(from);
  if (drawn.get(id) === key) return false;
  drawn.set(id, key);
  return true;
}

/** Replaces the children of an element where what they are made from has changed. */
export function redraw(id: string, from: unknown, make: () => (Node | string)[]): void {
  if (changed(id, from)) el(id).replaceChildren(...make());
}

/** A new element with a class and children. */
export function made(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

/** Calls back when what is drawn now has been painted. */
export function afterPaint(then: () => void): void {
  requestAnimationFrame(() => {
    const c = new MessageChannel();
    c.port1.onmessage = then;
    c.port2.postMessage(0);
  });
}

const ruler = document.createElement("canvas").getContext("2d");
let family = "";
const widths = new Map<string, number>();

/** How wide a bold text is, in units of its size. It does not lay out the page. */
export function widthOf(text: string): number {
  const known = widths.get(text);
  if (known !== undefined || !ruler) return known ?? text.length;
  family ||= getComputedStyle(document.body).fontFamily;
  ruler.font = `800 100px ${family}`;
  const width = ruler.measureText(text).width / 100;
  if (widths.size > 200) widths.clear();
  widths.set(text, width);
  return width;
}
