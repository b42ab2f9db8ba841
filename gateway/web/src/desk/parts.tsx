// Parts that several pages use.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useSignal } from "@preact/signals";
import {
  address,
  ago,
  clock,
  compounds,
  get,
  go,
  has,
  lang,
  path,
  say,
  words_for,
  type Alert,
  type Passage,
} from "./model";
import type { Trouble } from "./types";

const shapes: Record<string, string> = {
  red: "M6 1h8l5 5v8l-5 5H6l-5-5V6z",
  amber: "M10 1 19 18H1z",
  ok: "M10 1a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
};

/** A shape that means what its colour means. */
export function Shape({ of }: { of: string }) {
  const broken = of === "silent";
  return (
    <svg class={`shape ${of}`} viewBox="0 0 20 20" aria-hidden="true">
      {broken ? (
        <path d="M3 3l14 14M17 3 3 17" stroke="currentColor" stroke-width="3.4" />
      ) : of === "never" ? (
        <circle cx="10" cy="10" r="7" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 3" />
      ) : (
        <path d={shapes[of] ?? shapes.ok} fill="currentColor" />
      )}
    </svg>
  );
}

export function Link({
  to,
  class: name,
  children,
  label,
}: {
  to: string;
  class?: string;
  children: ComponentChildren;
  label?: string;
}) {
  return (
    <a
      href={new URL(address(to)).pathname}
      class={name}
      aria-label={label}
      aria-current={path.value === to ? "page" : undefined}
      onClick={(e) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
        e.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

export const gateName = (agent: string) => compounds.value.get(agent) ?? agent;

export function GateLink({ agent }: { agent: string }) {
  const name = compounds.value.get(agent);
  return <Link to={`/gates/${encodeURIComponent(agent)}`}>{name ? `${name} · ${agent}` : agent}</Link>;
}

/** Where an alert is: at a gate, a machine and its place, or at the county's own side. */
export const placeName = (a: Alert) =>
  a.run ? `${a.run.name} · ${a.run.place || say("alert.noplace")}` : a.agent ? gateName(a.agent) : say("alert.county");

export function Place({ of }: { of: Alert }) {
  if (of.run) {
    const to = `/runs/${encodeURIComponent(of.run.machine)}/${encodeURIComponent(of.run.run)}`;
    return <Link to={to}>{placeName(of)}</Link>;
  }
  return of.agent ? <GateLink agent={of.agent} /> : <span>{placeName(of)}</span>;
}

export const celsius = (t?: number | null) => (t === undefined || t === null ? "–" : `${t.toFixed(1)} °C`);

export function time(at: string): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  const today = new Date(clock.value).toDateString() === d.toDateString();
  return today ? hours : `${two(d.getMonth() + 1)}-${two(d.getDate())} ${hours}`;
}

/** A moment as "3 minutes ago (14:00:05)". */
export function Moment({ at }: { at: string }) {
  const ahead = Date.parse(at) > clock.value + 2000; // what is still to come is not "just now"
  return <time dateTime={at}>{ahead ? time(at) : `${ago(at)} (${time(at)})`}</time>;
}

export interface Loaded<T> {
  data: T | null;
  error: string;
  again: () => void;
}

/** Reads url now, when it changes, and again after the given number of seconds. */
export function useData<T>(url: string, seconds: number): Loaded<T> {
  const [state, set] = useState<{ url: string; data: T | null; error: string }>({ url, data: null, error: "" });
  const round = useSignal(0);
  useEffect(() => {
    let gone = false;
    const read = () => {
      get<T>(url).then(
        (data) => {
          if (!gone) set({ url, data, error: "" });
        },
        (e: unknown) => {
          if (!gone) set((old) => ({ url, data: old.url === url ? old.data : null, error: words_for(e) }));
        },
      );
    };
    read();
    const timer = setInterval(read, seconds * 1000);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [url, seconds, round.value]);
  return {
    data: state.url === url ? state.data : null,
    error: state.error,
    again: () => {
      round.value++;
    },
  };
}

/** What a panel shows while it loads or when it could not. */
export function Waiting({ of }: { of: Loaded<unknown> }) {
  if (of.error) {
    return (
      <p class="empty failed" role="alert">
        {say("data.failed")}: {of.error}{" "}
        <button type="button" onClick={of.again}>
          {say("data.retry")}
        </button>
      </p>
    );
  }
  return of.data === null ? <p class="empty">{say("data.loading")}</p> : null;
}

export function Table({ head, rows, caption }: { head: string[]; rows: ComponentChildren[][]; caption: string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {head.map((h) => (
              <th key={h} scope="col">
                {say(h)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((r, i) => (
            <tr key={i}>
              {r.map((c, j) => (
                <td key={j}>{c}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const reasons = (p: Passage) => p.reasons.map((r) => say(`reason.${r}`)).join(" · ");
export const verdict = (v: string) => <span class={`verdict ${v}`}>{say(`verdict.${v}`)}</span>;
export const way = (d?: string) => (d ? say(`direction.${d}`) : "–");
export const person = (c?: string) => (c ? say(`class.${c}`) : "–");

/** A link to a page of the manual, or to the runbook's entry of a kind, which opens beside the desk. */
export function Help({ kind, about }: { kind?: string; about?: string }) {
  const to = `/help/${lang.value}/${kind ? `runbook.html#${encodeURIComponent(kind)}` : ""}`;
  return (
    <a
      class={kind ? "help" : undefined}
      href={address(to)}
      target="_blank"
      rel="noopener"
      aria-label={about && `${say("help.what")}: ${about}`}
    >
      {say(kind ? "help.what" : "nav.help")}
    </a>
  );
}

/** What has become of an alert: whether it holds, what a second measurement has said, who has done what. */
export function alertState(a: Alert): string {
  const out: string[] = [];
  const s = a.settled;
  if (s) {
    const value = celsius(s.screening_c) + (s.with ? ` ${say(`alert.with.${s.with}`)}` : "");
    out.push(say(`alert.settled.${s.step}`, { time: time(s.at), value }));
  } else if (a.cleared) out.push(say(a.run ? "alert.corrected" : "alert.cleared"));
  else if (a.lasts) out.push(say("alert.active"));
  if (a.guard) out.push(say("alert.guard", { action: has(`guard.${a.guard}`) ? say(`guard.${a.guard}`) : a.guard }));
  if (a.acked)
    out.push(a.acked_by ? say("alert.acked", { name: a.acked_by, time: time(a.acked) }) : say("alert.unneeded"));
  return out.join(" · ");
}

/** What else is known of an alert: of a run in the page's language, of others as the gate says it. */
export function Detail({ of }: { of: Alert }) {
  if (!of.detail) return null;
  if (!of.run) return <span lang="en">{of.detail}</span>;
  const words = of.detail.split(", ").map((code) => (has(`why.${code}`) ? say(`why.${code}`) : code));
  return <span>{words.join(" · ")}</span>;
}

/** A trouble by its name, with what to try: in the page's language, unless its words are not known here. */
export function troubleText(t: Trouble): string {
  const name = [`trouble.${t.kind}`, `alert.${t.kind}`].find(has);
  const what = t.advice && has(`advice.${t.advice}`) ? say(`advice.${t.advice}`, t.with) : t.text;
  const text = name ? say(name) + (lang.value === "zh" ? "：" : ": ") + what : what;
  return t.since ? text + say("trouble.since", { time: time(t.since) }) : text;
}
