// What set-up's page knows: what has been answered, what the program says of it, the language.
import { signal } from "@preact/signals";
import { chosenLang, keepLang, say as sayIn, type Lang, type Words } from "../words";
import { setup as en } from "../words/en.json";
import { setup as zh } from "../words/zh.json";

export interface Answers {
  county: string;
  name: string;
  address: string;
  tls: { mode?: string; cert?: string; key?: string; ca?: string };
  time_zone: string;
  influx: { url?: string; org?: string; bucket?: string };
  ports: { desk?: number; broker?: number };
}
export interface RowFault {
  line: number;
  code: string;
  what?: string;
  text: string;
}
export interface Sites {
  name: string;
  county?: string;
  title?: string;
  compounds: number;
  gates: number;
  faults: RowFault[];
  more?: number;
}
export interface View {
  phase: "asking" | "writing" | "starting" | "done" | "failed";
  answers: Partial<Answers>;
  sites?: Sites;
  token: boolean;
  trouble?: string;
  written: { path: string; done: string; copy?: string }[] | null;
  names: string[];
  after: { starts: boolean; command?: string; desk?: string; link?: string; linkFile?: string; trust?: string };
}
export interface Fault {
  key: string;
  text: string;
}
export interface Planned {
  path: string;
  text?: string;
  secret: boolean;
  there: boolean;
}

export const lang = signal<Lang>(chosenLang());
const words: Record<Lang, Words> = { zh, en };
export const say = (code: string, values?: Record<string, string | number>) => sayIn(words[lang.value], code, values);
export const has = (code: string) => words[lang.value][code] !== undefined;

export function switchLang(): void {
  lang.value = lang.value === "zh" ? "en" : "zh";
  keepLang(lang.value);
}

export const steps = ["county", "address", "sites", "store", "check"] as const;
export type Step = (typeof steps)[number];
/** The keys of the program's faults that each step mends. */
export const mends: Record<Step, string[]> = {
  county: ["county", "time_zone"],
  address: ["address", "tls", "ports", "other"],
  sites: ["sites"],
  store: ["influx"],
  check: [],
};

/** Why the page shows no questions; empty: it does. */
export const closed = signal("");
export const view = signal<View | null>(null);
export const step = signal<Step>("county");
export const faults = signal<Fault[]>([]);
export const blank: Answers = { county: "", name: "", address: "", tls: {}, time_zone: "", influx: {}, ports: {} };
export const answers = signal<Answers>(blank);
/** The token of InfluxDB that is being typed. The program keeps it, and does not tell it again. */
export const token = signal("");
/** A sites file is to be uploaded. */
export const wantsFile = signal(false);
/** A request is on its way. */
export const busy = signal(false);

// What is written stays in this browser until set-up is done, in case the program is started again. No token does.
const draft = "gatehouse.setup";

export function set(part: Partial<Answers>): void {
  answers.value = { ...answers.value, ...part };
  keep();
}

function keep(): void {
  try {
    localStorage.setItem(draft, JSON.stringify(answers.value));
  } catch {
    // A browser without storage begins anew.
  }
}

function kept(): Partial<Answers> {
  try {
    return JSON.parse(localStorage.getItem(draft) ?? "{}") as Partial<Answers>;
  } catch {
    return {};
  }
}

/** An answer of the program; a refusal is an Error with its code. null: it does not answer. */
export async function ask<T>(method: string, to: string, body?: unknown): Promise<T | undefined> {
  let r: Response;
  const file = body instanceof Blob;
  try {
    r = await fetch(`./api/${to}`, {
      method,
      ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
      ...(body === undefined || file ? {} : { headers: { "Content-Type": "application/json" } }),
    });
  } catch {
    closed.value = "cut";
    throw new Error("cut");
  }
  if (r.ok) return r.status === 204 ? undefined : ((await r.json()) as T);
  const said = (await r.json().catch(() => ({}))) as { code?: string };
  if (r.status === 401) closed.value = "unknown";
  throw new Error(said.code ?? "other");
}

/** The key of the words for a refusal. */
export function refusal(e: unknown): string {
  const key = `error.${e instanceof Error ? e.message : "other"}`;
  return has(key) ? key : "error.other";
}

/** Asks how far set-up is. */
export async function look(): Promise<void> {
  view.value = (await ask<View>("GET", "state")) ?? null;
  closed.value = "";
  if (view.value?.phase === "done") localStorage.removeItem(draft);
}

/** Opens the page by the link, unless this browser has opened it already. */
export async function begin(): Promise<void> {
  const token = location.hash.slice(1);
  try {
    await look();
  } catch {
    if (closed.value === "cut") return;
    if (!token) {
      closed.value = "link";
      return;
    }
    try {
      await ask("POST", "open", { token });
      await look();
    } catch (e) {
      if (closed.value !== "cut") closed.value = e instanceof Error ? e.message : "wrong";
      return;
    }
  }
  history.replaceState(null, "", location.pathname + location.search);
  const said = view.value?.answers ?? {};
  answers.value = { ...blank, ...(said.county ? said : kept()) };
  wantsFile.value = !!view.value?.sites;
}

/** Hands what is written to the program, and returns what is wrong with it. */
export async function tell(): Promise<{ faults: Fault[] } | undefined> {
  if (token.value) await ask("POST", "token", { token: token.value });
  token.value = "";
  return ask("POST", "answers", answers.value);
}

/** Hands the answers to the program, and goes to a step unless one before it is wrong. */
export async function goTo(to: Step): Promise<void> {
  busy.value = true;
  try {
    const said = await tell();
    await look();
    const wrong = said?.faults ?? [];
    const first = steps.slice(0, steps.indexOf(to)).find((s) => wrong.some((f) => mends[s].includes(f.key)));
    const back = steps.indexOf(to) <= steps.indexOf(step.value);
    step.value = back ? to : (first ?? to);
    faults.value = back || !first ? [] : wrong.filter((f) => mends[step.value].includes(f.key));
    if (wantsFile.value && !view.value?.sites && steps.indexOf(step.value) > steps.indexOf("sites")) {
      step.value = "sites";
      faults.value = [{ key: "sites.none", text: "" }];
    }
    scrollTo(0, 0);
  } catch (e) {
    faults.value = [{ key: refusal(e), text: "" }];
  }
  busy.value = false;
}
