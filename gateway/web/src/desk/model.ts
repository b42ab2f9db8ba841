// What the desk's server says, and what this page knows of itself.
import { computed, signal } from "@preact/signals";
import { Live } from "../live";
import { chosenLang, keepLang, say as sayIn, ago as agoIn, type Lang, type Words } from "../words";
import { desk as en } from "../words/en.json";
import { desk as zh } from "../words/zh.json";

export interface Device { name: string; state: string; idle_s: number }
export interface Gate { agent: string; state: string; heard?: string; backlog?: number; last?: number; oldest?: string; full_in_h?: number; devices?: Device[]; version?: string }
export interface Alert {
  id: number; agent: string; type: string; level: "red" | "amber" | "over"; device?: string; detail?: string; screening_c?: number;
  at: string; cleared?: string; guard?: string; acked?: string; acked_by?: string; note?: string;
}
export interface Passage { at: string; agent: string; verdict: string; reasons: string[]; screening_c?: number; ambient_c?: number; direction?: string; class?: string }
export interface Node { id: string; name: string; gates?: string[]; under?: Node[] }
export interface Centre { fault?: string; store: string; stored?: string; catching: boolean; version: string }
export interface Totals { hour: number; verdicts: Record<string, number>; quarantined: number; lost: number }
export interface RunSummary {
  machine: string; name: string; type: string; run: string; state: string; source: string; operator: string; start: string; end: string;
  sorties: number; on_s: number; distance_m: number; litres: number | null; tank_l: number | null; grade: string; reasons: string[];
}
export interface Machine {
  machine: string; name: string; type: string; state: string; agent: string; heard?: string; battery_pct?: number; tank_pct?: number;
  run?: string; fault?: string; last?: RunSummary;
}
/** A run with its evidence; what could not be known is absent. */
export interface RunPage {
  run: {
    machine: string; run: string; name: string; operator?: string; source: string; state: string; start: string; end: string; sorties: number;
    command_s: number; flow_s: number; gap_s: number; on_s: number; distance_m: number; bad_fixes: number; litres: number | null; unasked_l: number;
    tank_l?: number; tank_first?: number; tank_last?: number; refills?: number; refilled?: number; commanded?: boolean; moved?: boolean; flowed?: boolean; tank_fell?: boolean;
    grade: string; reasons: string[]; faults: string[];
  };
  tolerance_m: number;
  points: { lat: number; lon: number; on: boolean }[];
  chart: { at: string; flow_lpm: number | null; tank_pct: number | null; on: boolean }[];
  places: { name: string; polygon: [number, number][] }[];
}
export interface Hour { at: string; pass: number; retest: number; invalid: number; refuse: number; fever: number; mean_c: number | null }

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
/** Somebody was logged in on this page and no longer is. */
export const expired = signal(false);

export const gates = signal(new Map<string, Gate>());
export const alerts = signal<Alert[]>([]);
export const feed = signal<Passage[] | null>(null);
export const tree = signal<Node | null>(null);
export const centre = signal<Centre | null>(null);
export const totals = signal<Totals | null>(null);
export const machines = signal(new Map<string, Machine>());
/** It rises when a run has begun, ended or changed. */
export const runsVersion = signal(0);
/** The server's clock, milliseconds; it turns every second. */
export const clock = signal(Date.now());
/** Milliseconds since the last word from the server. */
export const age = signal(0);

export const path = signal(location.pathname);

export function go(to: string): void {
  history.pushState(null, "", to);
  path.value = location.pathname;
  scrollTo(0, 0);
}
addEventListener("popstate", () => { path.value = location.pathname; });

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

export const worst = computed(() => {
  const out = new Map<string, "red" | "amber">();
  for (const a of alerts.value) {
    if (a.level === "over" || a.type === "gate-silent") continue; // the tile's own state says it
    if (a.level === "red" || !out.has(a.agent)) out.set(a.agent, a.level);
  }
  return out;
});

const live = new Live("/live", {
  changed(state, keys, whole) {
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
    for (const [key, target] of Object.entries({ feed, tree, centre, totals })) {
      if (touched(key) && state.has(key)) (target as { value: unknown }).value = state.get(key);
    }
    turn();
  },
  refused() { void whoami(); },
});

/** What nobody has seen before what somebody has; fevers, then the county's own side, red, amber, and what has ended. */
function rank(a: Alert): number {
  const urgent = a.level === "over" ? -1 : ["fever", "gates-silent"].indexOf(a.type);
  return (a.acked ? 8 : 0) + (urgent >= 0 ? urgent : { red: 2, amber: 3, over: 4 }[a.level]);
}

function turn(): void {
  clock.value = live.now();
  age.value = performance.now() - live.heard;
}
setInterval(turn, 1000);

export class Refused extends Error {
  constructor(readonly code: string) { super(code); }
}

async function answered(r: Response): Promise<Response> {
  if (r.ok) return r;
  const code = await r.json().then((p: { code?: string }) => p.code ?? "server", () => "server");
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
    r = await fetch(url, init);
  } catch {
    throw new Refused("network");
  }
  return answered(r);
}

export async function get<T>(url: string): Promise<T> {
  return (await ask(url)).json() as Promise<T>;
}

export async function post(url: string, body: object): Promise<Response> {
  return ask(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** Asks who is logged in, and listens when somebody is. */
export async function whoami(): Promise<void> {
  try {
    const { name } = await get<{ name: string }>("/api/session");
    user.value = name;
    expired.value = false;
    live.connect();
  } catch (e) {
    if (e instanceof Refused && e.code === "session") user.value = "";
  }
}

export async function logout(): Promise<void> {
  await post("/api/logout", {});
  live.stop();
  expired.value = false;
  user.value = "";
}

export function words_for(e: unknown): string {
  return say(`error.${e instanceof Refused ? e.code : "server"}`);
}
