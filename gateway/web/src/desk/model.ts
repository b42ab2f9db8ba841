// The state of the desk's page: what the server sent, who is logged in, the language.
import { computed, signal } from "@preact/signals";
import { Live, root } from "../live";
import { chosenLang, keepLang, say as sayIn, ago as agoIn, type Lang, type Words } from "../words";
import { desk as en } from "../words/en.json";
import { desk as zh } from "../words/zh.json";
import type { Gate, Alert, Passage, Node, Notice, Centre, Totals, Machine } from "./types";

export type * from "./types";

export const lang = signal<Lang>(chosenLang());
const words: Record<Lang, Words> = { zh, en };
export const say = (code: string, values?: Record<string, string | number>) => sayIn(words[lang.value], code, values);
export const has = (code: string) => words[lang.value][code] !== undefined;
export const ago = (at: string) => agoIn(words[lang.value], clock.value - Date.parse(at));

export function switchLang(): void {
  lang.value = lang.value === "zh" ? "en" : "zh";
  keepLang(lang.value);
}

/** null: not known yet; "": nobody is logged in. */
export const user = signal<string | null>(null);
/** The role of who is logged in; empty: nobody is. */
export const role = signal("");
const acts = signal<string[]>([]);
/** Reports whether who is logged in may do an act: the page offers no others. */
export const may = (act: string) => acts.value.includes(act);
/** Who is logged in came by the provider of identities, and confirms there instead of with a password. */
export const provided = signal(false);
/** Who is logged in has confirmed there: it counts for the next act. */
export const confirmed = signal(false);
/** Somebody was logged in on this page and no longer is. */
export const expired = signal(false);

/** Why it is not known who is logged in; empty: it is, or is being asked. */
export const unreachable = signal("");
/** The state of the county has come: until then nothing is known, which is not zero. */
export const fed = signal(false);
/** Requests are answered, and the live connection is refused again and again. */
export const cut = signal(false);

export const gates = signal(new Map<string, Gate>());
export const alerts = signal<Alert[]>([]);
export const feed = signal<Passage[] | null>(null);
/** What the county tells its guards now; null: it tells them nothing. */
export const notices = signal<Notice[] | null>(null);
export const tree = signal<Node | null>(null);
export const centre = signal<Centre | null>(null);
export const totals = signal<Totals | null>(null);
export const machines = signal(new Map<string, Machine>());
/** Rises when a run has begun, ended or changed. */
export const runsVersion = signal(0);
/** The server's clock, milliseconds; it turns every second. */
export const clock = signal(Date.now());
/** Milliseconds since the last frame from the server. */
export const age = signal(0);

/** The desk may be anywhere below another path: the address of one of its own paths ("/alerts"). */
export const address = (to: string) => root + to.slice(1);
const here = () => "/" + location.href.slice(root.length).replace(/[?#].*$/, "");

/** The path of the page that is shown, as if the desk were at the root. */
export const path = signal(here());

export function go(to: string): void {
  history.pushState(null, "", address(to));
  path.value = here();
  scrollTo(0, 0);
}
addEventListener("popstate", () => {
  path.value = here();
});

/** The compound's name by gate. */
export const compounds = computed(() => {
  const out = new Map<string, string>();
  const walk = (n: Node) => {
    for (const g of n.gates ?? []) out.set(g, n.name);
    n.under?.forEach(walk);
  };
  if (tree.value) walk(tree.value);
  return out;
});

/** Troubles of a gate with which nothing of it arrives. */
const stops = [
  "no-broker",
  "no-collector",
  "no-answer",
  "store-refuses",
  "not-acknowledged",
  "record-held",
  "store-changed",
  "collector-foreign",
];

export const worst = computed(() => {
  const out = new Map<string, "red" | "amber">();
  for (const a of alerts.value) {
    if (a.level === "over" || a.type === "gate-silent") continue; // the tile's own state says it
    if (a.level === "red" || !out.has(a.agent)) out.set(a.agent, a.level);
  }
  for (const g of gates.value.values())
    if (g.state === "online" && !out.has(g.agent) && g.troubles?.some((t) => stops.includes(t.kind)))
      out.set(g.agent, "amber");
  return out;
});

const live = new Live("live", {
  changed(state, keys, whole) {
    refusals = 0;
    cut.value = false;
    fed.value = true;
    const touched = (prefix: string) => whole || keys.some((k) => k.startsWith(prefix));
    if (touched("g:")) {
      const next = new Map<string, Gate>();
      for (const [k, v] of state) if (k.startsWith("g:")) next.set(k.slice(2), v as Gate);
      gates.value = next;
    }
    if (touched("m:")) {
      const next = new Map<string, Machine>();
      for (const [k, v] of state) if (k.startsWith("m:")) next.set(k.slice(2), v as Machine);
      machines.value = next;
    }
    if (touched("runs")) runsVersion.value = (state.get("runs") as { version: number } | undefined)?.version ?? 0;
    if (touched("a:")) {
      const next: Alert[] = [];
      for (const [k, v] of state) if (k.startsWith("a:")) next.push(v as Alert);
      alerts.value = next.sort((a, b) => rank(a) - rank(b) || b.at.localeCompare(a.at));
    }
    for (const [key, target] of Object.entries({ feed, tree, centre, totals, notices })) {
      if (touched(key) && state.has(key)) (target as { value: unknown }).value = state.get(key);
    }
    turn();
  },
  refused() {
    void ask_user().then((known) => {
      if (!known || !user.value) return;
      refusals++;
      cut.value = refusals >= 3;
    });
  },
});
let refusals = 0;

/**
 * The place of an alert in the list: unacknowledged before acknowledged; then people who must not pass, the county's
 * own side, red, amber, and what has ended.
 */
function rank(a: Alert): number {
  if (a.call && a.level === "red") return -1; // a guard waits for an answer, whoever has seen it
  const person = ["fever", "fever-confirmed", "sealed-leaving", "sealed-out"].includes(a.type);
  const urgent = person ? 0 : a.type === "gates-silent" ? 1 : 2;
  return (a.acked ? 8 : 0) + { red: urgent, amber: 3, over: 4 }[a.level];
}

function turn(): void {
  clock.value = live.now();
  age.value = performance.now() - live.heard;
}
setInterval(turn, 1000);

export class Refused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

async function answered(r: Response): Promise<Response> {
  if (r.ok) return r;
  const code = await r.json().then(
    (p: { code?: string }) => p.code ?? "server",
    () => "proxy",
  );
  if (code === "session" && user.value) {
    expired.value = true;
    user.value = "";
    live.stop();
  }
  throw new Refused(code);
}

async function ask(url: string, init?: RequestInit): Promise<Response> {
  let r: Response;
  try {
    r = await fetch(address(url), init);
  } catch {
    throw new Refused("network");
  }
  return answered(r);
}

export async function get<T>(url: string): Promise<T> {
  try {
    return (await (await ask(url)).json()) as T;
  } catch (e) {
    throw e instanceof Refused ? e : new Refused("proxy");
  }
}

export async function post(url: string, body: object): Promise<Response> {
  return ask(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

interface Who {
  name: string;
  role: string;
  acts: string[];
  provided?: boolean;
  confirmed?: boolean;
}

/** Why a log-in at the provider of identities has failed; empty: none has. */
export const failedCode = () => /^#failed=([a-z-]+)$/.exec(location.hash)?.[1] ?? "";

/** Asks who is logged in; returns whether that is known now. */
export async function ask_user(): Promise<boolean> {
  try {
    const who = await get<Who>("/api/session");
    if (role.value && role.value !== who.role) live.forget(); // it was told what another role may see
    role.value = who.role;
    acts.value = who.acts;
    provided.value = who.provided ?? false;
    confirmed.value = who.confirmed ?? false;
    user.value = who.name;
    expired.value = false;
  } catch (e) {
    if (!(e instanceof Refused && e.code === "session")) {
      unreachable.value = words_for(e);
      return false;
    }
    user.value = "";
  }
  unreachable.value = "";
  return true;
}

/** Asks who is logged in until it is known, and listens when somebody is. */
export async function whoami(): Promise<void> {
  while (!(await ask_user())) await new Promise((r) => setTimeout(r, 3000));
  if (user.value) live.connect();
}

export async function logout(): Promise<void> {
  const r = await post("/api/logout", {});
  live.stop();
  expired.value = false;
  user.value = "";
  if (r.status !== 200) return;
  const { to } = (await r.json()) as { to: string };
  if (to) location.assign(to); // where the log-in at the provider ends, too
}

export function words_for(e: unknown): string {
  return say(`error.${e instanceof Refused ? e.code : "server"}`);
}
