// The pages of the manual: they find words in all parts, and remember the language. They work without a server.
import "./style.css";
import { keepLang } from "../words";

interface Found {
  page: string;
  id: string;
  title: string;
  text: string;
}

declare global {
  interface Window {
    manual?: Found[]; // set by search-zh.js or search-en.js
  }
}

const el = (id: string) => document.getElementById(id);
const most = 30; // hits that are shown

/** Those places in which all words stand, those with the words in their title first. */
function find(asked: string): Found[] {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (text: string) => words.every((w) => text.toLowerCase().includes(w));
  const all = (window.manual ?? []).filter((f) => has(`${f.title} ${f.text} ${f.id}`));
  return [...all.filter((f) => has(f.title)), ...all.filter((f) => !has(f.title))];
}

/** The text around the first of the words. */
function around(f: Found, asked: string): string {
  const [first = ""] = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const at = Math.max(0, f.text.toLowerCase().indexOf(first));
  const from = Math.max(0, at - 24);
  return (from > 0 ? "…" : "") + f.text.slice(from, at + 60).trim();
}

function search(asked: string): void {
  const hits = asked.trim() ? find(asked) : [];
  const none = el("none");
  const list = el("found");
  const contents = el("contents");
  if (!none || !list || !contents) return;
  none.textContent = asked.trim() && hits.length === 0 ? (none.dataset.none ?? "") : "";
  contents.hidden = asked.trim() !== "";
  list.replaceChildren(
    ...hits.slice(0, most).map((f) => {
      const li = document.createElement("li");
      const a = document.createElement("a");
      const small = document.createElement("small");
      a.href = `${f.page}.html#${encodeURIComponent(f.id)}`;
      a.textContent = f.title;
      small.textContent = around(f, asked);
      li.append(a, small);
      return li;
    }),
  );
}

const box = el("search");
if (box instanceof HTMLInputElement) {
  box.addEventListener("input", () => {
    search(box.value);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && document.activeElement !== box) {
      e.preventDefault();
      box.focus();
    }
  });
  search(box.value);
}
const other = el("other");
if (other instanceof HTMLAnchorElement) {
  other.addEventListener("click", () => {
    other.hash = location.hash; // anchors of kinds are the same in both languages
    keepLang(document.documentElement.lang === "en" ? "zh" : "en");
  });
}
const desk = el("desk");
if (desk) desk.hidden = location.protocol === "file:";
