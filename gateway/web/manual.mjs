// Renders the manual of deploy/manual to pages that need nothing from elsewhere: for the program, which serves them at
// /help, and for the folder and the PDFs of make manuals.
import { readFileSync, readdirSync } from "node:fs";
import { Marked } from "marked";

export const source = new URL("../../deploy/manual/", import.meta.url);
export const langs = ["zh", "en"];

/** The parts of the manual, in the order of the table of contents. */
export const parts = ["guard-card", "guard", "crew", "duty", "runbook", "it", "engineer"];

const words = {
  zh: {
    html: "zh-CN",
    manual: "使用手册",
    search: "搜索手册",
    none: "没有找到",
    desk: "返回",
    other: "English",
    here: "本页内容",
  },
  en: {
    html: "en",
    manual: "Manual",
    search: "Search the manual",
    none: "Nothing found",
    desk: "Back",
    other: "中文",
    here: "On this page",
  },
};

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** The text of a heading and its anchor: "Gate silent {#gate-silent}"; without one the anchor is made of the text. */
export function heading(raw) {
  const [, text, id] = /^(.*?)\s*(?:\{#([\w-]+)\})?$/.exec(raw);
  return {
    text,
    id:
      id ??
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, "-")
        .replace(/^-|-$/g, ""),
  };
}

/** The text of Markdown without its marks, for the search. */
const plain = (tokens) =>
  tokens
    .flatMap((t) => [
      t.type === "list" ? plain(t.items) : "",
      t.type === "table" ? [t.header, ...t.rows].map((row) => row.map((c) => plain(c.tokens)).join(" ")).join(" ") : "",
      t.tokens ? plain(t.tokens) : ["text", "codespan", "code", "escape"].includes(t.type) ? t.text : "",
    ])
    .filter(Boolean)
    .join(" ");

/** A part of the manual: its title, its page, its headings, and what can be found in it. */
export function part(lang, name) {
  const text = readFileSync(new URL(`${lang}/${name}.md`, source), "utf8");
  const heads = [];
  const found = [];
  const pictures = new Set();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: raw }) {
        const h = heading(raw);
        const inner = this.parser.parseInline(tokens).replace(/\s*\{#[\w-]+\}$/, "");
        return `<h${depth} id="${escape(h.id)}">${inner}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const to = /^[\w-]+\.md(#.*)?$/.test(href) ? href.replace(".md", ".html") : href;
        return `<a href="${escape(to)}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text: alt }) {
        pictures.add(href.replace("../", ""));
        return `<img src="${escape(href)}" alt="${escape(alt)}">`;
      },
      code: ({ text }) => `<pre tabindex="0"><code>${escape(text)}</code></pre>\n`, // it can be scrolled by keys
      table(token) {
        const cell = (tag, c) => `<${tag}>${this.parser.parseInline(c.tokens)}</${tag}>`;
        const row = (tag, cells) => `<tr>${cells.map((c) => cell(tag, c)).join("")}</tr>`;
        return (
          `<div class="wide" tabindex="0"><table><thead>${row("th", token.header)}</thead>` +
          `<tbody>${token.rows.map((r) => row("td", r)).join("\n")}</tbody></table></div>\n`
        );
      },
    },
  });
  const tokens = marked.lexer(text);
  for (const t of tokens) {
    if (t.type === "heading") {
      const h = { ...heading(t.text), depth: t.depth };
      heads.push(h);
      found.push({ page: name, id: h.id, title: h.text, text: "" });
    } else if (found.length > 0) {
      found.at(-1).text += `${plain([t])} `;
    }
  }
  const ids = heads.map((h) => h.id);
  const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
  if (heads[0]?.depth !== 1 || twice.length > 0)
    throw new Error(`${lang}/${name}.md: it begins with # and its title, and no two headings are alike: ${twice}`);
  const body = marked.parser(tokens);
  const [stray] = /[^>]{0,20}\*\*[^<]{0,20}/.exec(body.replace(/<code[^]*?<\/code>/g, "")) ?? [];
  if (stray) throw new Error(`${lang}/${name}.md: ** is no mark beside a stop: ${stray}`);
  return { name, title: heads[0].text, body, heads, found, pictures };
}

const contents = (of, all) =>
  all
    .map((p) => {
      const here = p.name === of.name;
      const deep = p.name === "runbook" ? 2 : 3;
      const own = p.heads.filter((h) => h.depth > 1 && h.depth <= deep);
      const list =
        here && own.length > 0 ? own.map((h) => `<li class="d${h.depth}"><a href="#${h.id}">${h.text}</a></li>`) : [];
      return (
        `<li><a href="${p.name}.html"${here ? ' aria-current="page"' : ""}>${p.title}</a>` +
        `${list.length > 0 ? `<ul>${list.join("")}</ul>` : ""}</li>`
      );
    })
    .join("\n");

/** The page of a part. Another one is the index, whose name is index. */
function page(lang, of, all) {
  const w = words[lang];
  const other = lang === "zh" ? "en" : "zh";
  return `<!doctype html>
<html lang="${w.html}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${of.title} · gatehouse</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="../help.css">
</head>
<body class="${of.name}">
<header><a href="index.html">${w.manual}</a>
<a id="desk" href="../../" hidden>${w.desk}</a>
<a id="other" href="../${other}/${of.name}.html" lang="${words[other].html}">${w.other}</a></header>
<nav aria-label="${w.manual}">
<input id="search" type="search" placeholder="${w.search}" aria-label="${w.search}" autocomplete="off">
<p id="none" role="status" data-none="${w.none}"></p>
<ol id="found"></ol>
<ul id="contents">
${contents(of, all)}
</ul>
</nav>
<main>
${of.body}</main>
<script src="../search-${lang}.js"></script>
<script src="../help.js"></script>
</body>
</html>
`;
}

/** The first page: for whom each part is, which is its first paragraph. */
function index(lang, all) {
  const list = all.map((p) => {
    const [, first = ""] = /<p>([^]*?)<\/p>/.exec(p.body) ?? [];
    return `<li><a href="${p.name}.html"><b>${p.title}</b></a><br>${first.replace(/<\/?a[^>]*>/g, "")}</li>`;
  });
  const title = words[lang].manual;
  const body = `<h1 id="top">${title}</h1>\n<ul class="parts">\n${list.join("\n")}\n</ul>\n`;
  return { name: "index", title, body, heads: [], found: [] };
}

/** All files of the manual by their path, besides help.js and help.css. */
export function renderManual() {
  const files = new Map();
  const pictures = new Set();
  for (const lang of langs) {
    const all = parts.map((name) => part(lang, name));
    for (const p of [index(lang, all), ...all]) files.set(`${lang}/${p.name}.html`, page(lang, p, all));
    for (const p of all) for (const name of p.pictures) pictures.add(name);
    files.set(`search-${lang}.js`, `window.manual = ${JSON.stringify(all.flatMap((p) => p.found))};\n`);
  }
  for (const name of pictures) files.set(name, readFileSync(new URL(name, source)));
  return files;
}

/** The names of the pictures and drawings that lie in deploy/manual. */
export const lying = () =>
  ["pictures", "drawings"].flatMap((dir) => readdirSync(new URL(dir, source)).map((name) => `${dir}/${name}`));
