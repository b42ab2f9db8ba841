// The guard's pages of the manual, on the guard's screen: their sections by name, and one of them to read.
import { el } from "./page";
import type { Lang } from "../words";

/** A section of the guard's manual. */
export interface Section {
  title: string;
  nodes: Node[]; // what stands below the title
}

const asked = new Map<Lang, Promise<Section[]>>();

/** The sections in a language. They come from the agent itself, and work without the network. */
export function sections(lang: Lang): Promise<Section[]> {
  const known = asked.get(lang);
  if (known) return known;
  const all = read(lang);
  asked.set(lang, all);
  all.catch(() => asked.delete(lang)); // asked for again
  return all;
}

async function read(lang: Lang): Promise<Section[]> {
  const r = await fetch(`help/${lang}/guard.html`);
  if (!r.ok) throw new Error(`the manual: ${r.status}`);
  const page = new DOMParser().parseFromString(await r.text(), "text/html");
  const out: Section[] = [];
  for (const node of page.querySelector("main")?.children ?? []) {
    if (node.tagName === "H2") out.push({ title: node.textContent, nodes: [] });
    else if (node.tagName !== "H1") out.at(-1)?.nodes.push(shown(node, lang));
  }
  return out;
}

/** A node of the manual as this page shows it: without links, and with pictures from where they are. */
function shown(node: Element, lang: Lang): Node {
  const copy = document.importNode(node, true);
  for (const a of copy.querySelectorAll("a")) a.replaceWith(...a.childNodes);
  for (const img of copy.querySelectorAll("img")) {
    img.src = new URL(img.getAttribute("src") ?? "", new URL(`help/${lang}/`, document.baseURI)).href;
  }
  return copy;
}

/** Turns the text of the sheet by a page: +1 or -1; after the last comes the first. */
export function turn(by: number): void {
  const text = el("posttext");
  const end = text.scrollHeight - text.clientHeight;
  const to = text.scrollTop + by * text.clientHeight * 0.85;
  text.scrollTop = by > 0 && text.scrollTop >= end - 2 ? 0 : Math.max(0, to);
}
