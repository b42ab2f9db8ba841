// The guard's screen on a computer that is no gate yet.
import "./style.css";
import { chosenLang, keepLang, say, type Lang, type Words } from "../words";
import { kiosk as en } from "../words/en.json";
import { kiosk as zh } from "../words/zh.json";
import { el, made, put, redraw } from "../kiosk/page";
import { alphabet, groupsALine, Typed } from "./code";

interface WrongCode {
  code: string;
  group?: number;
  line?: number;
}
interface View {
  step: "code" | "asking" | "waiting" | "wrong" | "done" | "cut";
  agent?: string;
  fingerprint?: string;
  trouble?: string;
  wrong?: string;
  ahead?: number;
  scanned?: WrongCode;
  text?: string;
  to?: string;
}

const all: Record<Lang, Words> = { zh, en };
const askEvery = 1000; // ms
const linesShown = 5;

let lang = chosenLang();
let view: View = { step: "code" };
let answered: WrongCode | null = null; // what the program said of the code
let sending = false;
const typed = new Typed();
const w = (): Words => all[lang];

/** The words of a state, or those of any refusal. */
function words(code: string, part = ""): string {
  const key = `first.${code}${part}`;
  return w()[key] ?? say(w(), `first.refused${part}`);
}

/** What stands for the state that is shown: the key of its words. */
function state(): string {
  if (view.step === "wrong") return `refused.${view.wrong ?? ""}`;
  return view.trouble && view.step !== "done" ? `trouble.${view.trouble}` : view.step;
}

function wrongText(): string {
  const n = typed.wrong;
  const line = (n: number) => Math.floor((n - 1) / groupsALine) + 1;
  if (typed.strange) return say(w(), "first.wrong.char", { char: typed.strange });
  if (n >= 0) return say(w(), "first.wrong.group", { group: n + 1, line: line(n + 1) });
  const said = answered ?? view.scanned;
  if (!said) return "";
  if (said.group) return say(w(), "first.wrong.group", { group: said.group, line: line(said.group) });
  return say(w(), `first.wrong.${said.code}`);
}

function clockText(): string {
  const s = view.ahead ?? 0;
  if (!s) return "";
  const m = Math.round(Math.abs(s) / 60);
  const time = m < 120 ? say(w(), "ago.m", { n: m }) : m < 2880 ? say(w(), "ago.h", { n: Math.floor(m / 60) }) : "";
  return say(w(), time ? `first.clock.${s > 0 ? "behind" : "ahead"}` : "first.clock.days", { time });
}

/** The lines of the code around the group that is typed, or that is wrong. */
function drawLines(): void {
  const shown = view.step === "code";
  const wrong = typed.wrong;
  const last = Math.floor((wrong >= 0 ? Math.min(wrong + groupsALine, typed.at) : typed.at) / groupsALine);
  const first = Math.max(0, last - linesShown + 1);
  redraw("lines", [shown, typed.groups, typed.at, first, lang], () =>
    !shown
      ? []
      : Array.from({ length: linesShown }, (_, i) => {
          const li = made("li", "", made("i", "", String(first + i + 1)));
          for (let j = 0; j < groupsALine; j++) {
            const n = (first + i) * groupsALine + j;
            const text = typed.groups[n] ?? "";
            const b = document.createElement("button");
            b.type = "button";
            b.disabled = n >= typed.groups.length;
            b.className = n === typed.at ? "now" : typed.bad(n) ? "bad" : text.length === 5 ? "ok" : "";
            b.textContent = text.padEnd(5, "·");
            b.setAttribute("aria-label", say(w(), typed.bad(n) ? "first.group.bad" : "first.group", { n: n + 1 }));
            b.onclick = () => {
              typed.edit(n);
              draw();
            };
            li.append(b);
          }
          return li;
        }),
  );
}

function button(text: string, className: string, act: () => void): HTMLButtonElement {
  const b = document.createElement("button");
  b.type = "button";
  b.className = className;
  b.textContent = text;
  b.onclick = act;
  return b;
}

function drawKeys(): void {
  el("keys").hidden = view.step !== "code";
  redraw("keys", lang, () => [
    ...[...alphabet].map((c) =>
      button(c, "", () => {
        press(c);
      }),
    ),
    button(say(w(), "first.key.back"), "back", () => {
      press("Backspace");
    }),
    button(say(w(), "first.key.clear"), "clear", () => {
      typed.clear();
      answered = null;
      draw();
    }),
    button(say(w(), "first.key.go"), "go", () => void send()),
  ]);
}

function draw(): void {
  const s = state();
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.title = say(w(), "first.title");
  document.body.className = view.step === "wrong" ? "wrong" : view.trouble ? "trouble" : view.step;
  put("title", say(w(), "first.title") + (view.agent ? ` · ${view.agent}` : ""));
  put("lang", say(w(), "lang"));
  el("lang").setAttribute("aria-label", say(w(), "lang.label"));
  put("help", say(w(), "first.help"));
  el("help").setAttribute("href", `./help/?lang=${lang}`);
  put("headline", words(s));
  put("digits", view.step === "waiting" ? (view.fingerprint ?? "") : "");
  const noScreen = view.step === "done" && !view.to;
  put("order", view.step === "code" ? "" : noScreen ? say(w(), "first.done.noscreen") : words(s, ".order"));
  put("note", view.step === "code" ? "" : clockText());
  put("wrong", view.step === "code" ? wrongText() : "");
  put("text", view.step === "wrong" ? (view.text ?? "") : "");
  drawLines();
  drawKeys();
  const act = { asking: "first.other", waiting: "first.other", wrong: `first.again` }[view.step as string];
  redraw("buttons", [act, lang], () => (act ? [button(`F1 ${say(w(), act)}`, "", () => void again())] : []));
}

async function again(): Promise<void> {
  typed.clear();
  answered = null;
  await post("again", {});
  await ask();
}

async function post(path: string, body: object): Promise<Response | null> {
  try {
    return await fetch(`./${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    return null;
  }
}

/** Hands the code to the program, which names the first group that is wrong. */
async function send(): Promise<void> {
  if (sending || view.step !== "code") return;
  sending = true;
  typed.strange = "";
  const r = await post("code", { code: typed.text });
  sending = false;
  answered = r?.status === 422 ? ((await r.json()) as WrongCode) : null;
  await ask();
}

// Who reads the manual meanwhile does not type the code again: it stays in this window until the browser ends.
const draft = "gatehouse.code";

el("help").addEventListener("click", () => {
  sessionStorage.setItem(draft, typed.text);
});

for (const c of sessionStorage.getItem(draft) ?? "") typed.key(c);
sessionStorage.removeItem(draft);

function press(key: string): void {
  answered = null;
  if (key === "Backspace") typed.back();
  else typed.key(key);
  draw();
}

/** Goes over to the gate's own screen when that answers. */
async function goOver(): Promise<void> {
  const to = new URL(view.to ?? "./", location.href);
  if (to.origin !== location.origin) {
    location.replace(to.href);
    return;
  }
  const gate = await fetch("./healthz").catch(() => null); // this page's program has none
  if (gate && gate.status !== 404) location.reload();
}

async function ask(): Promise<void> {
  if (view.step === "done") {
    if (view.to) await goOver();
    return;
  }
  const r = await fetch("./state").catch(() => null);
  if (r?.ok) view = (await r.json()) as View;
  else if (r) await goOver();
  else view = { step: "cut" };
  draw();
}

el("lang").onclick = () => {
  lang = lang === "zh" ? "en" : "zh";
  keepLang(lang);
  draw();
};
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  if (e.key === "F1") {
    e.preventDefault();
    if (!e.repeat) el("buttons").querySelector("button")?.click();
    return;
  }
  if (view.step !== "code") return;
  if (e.key === "Enter") {
    e.preventDefault(); // a scanner ends with it, wherever the focus is
    if (!e.repeat) void send();
  } else if (e.key === "Backspace" || e.key.length === 1) {
    e.preventDefault();
    press(e.key);
  }
});
document.addEventListener("paste", (e) => {
  for (const c of e.clipboardData?.getData("text") ?? "") typed.key(c);
  draw();
});
document.addEventListener("contextmenu", (e) => {
  e.preventDefault();
});
setInterval(() => void ask(), askEvery);
void ask();
draw();
