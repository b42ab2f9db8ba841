// Which gates run which version, and upgrades of them in waves.
import { useSignal } from "@preact/signals";
import { compounds, post, say, words_for } from "./model";
import { GateLink, Moment, Shape, Table, useData, Waiting } from "./parts";
import { Plan } from "./waves";

/** How a gate's computer stands to upgrades, as it says itself. */
interface Upgrade {
  package?: string;
  lacks?: string;
  to?: string;
  state?: string;
  why?: string;
  at?: string;
}
export interface GateVersion {
  agent: string;
  program?: string;
  online: boolean;
  heard?: string;
  upgrade?: Upgrade;
}
export interface Offered {
  version: string;
  architectures: string[];
  packages: string[];
}
interface WaveGate {
  agent: string;
  state: string;
  since: string;
  why?: string;
  detail?: string;
}
interface Wave {
  gates: WaveGate[];
  began: string;
  well: string;
  over?: boolean;
}
export interface Rollout {
  id: string;
  version: string;
  by: string;
  reason: string;
  began: string;
  state: string;
  changed: string;
  why?: string;
  gate?: string;
  waves: Wave[];
}
export interface Versions {
  serves: boolean;
  fingerprint?: string;
  offered: Offered[];
  gates: GateVersion[];
  rollout?: Rollout;
  past: Rollout[];
  limits: Record<string, number>;
}

const marks: Record<string, string> = {
  waits: "never",
  asked: "never",
  upgrading: "never",
  done: "ok",
  refused: "amber",
  failed: "red",
  silent: "silent",
  left: "never",
};
const never = (at: string) => at.startsWith("0001-");

/** Which version a gate has, as far as it is known. */
export const has = (g: GateVersion) => g.upgrade?.package ?? g.program ?? "";

/** Why a gate is in its state, in words. */
const reason = (g: WaveGate) =>
  [g.why && say(`versions.why.${g.why}`), g.state === "upgrading" && g.detail ? say(`versions.up.${g.detail}`) : ""]
    .filter(Boolean)
    .join(" · ");

function StateOf({ gate: of }: { gate: WaveGate }) {
  return (
    <span class={["failed", "silent", "refused"].includes(of.state) ? "failed" : ""}>
      <Shape of={marks[of.state] ?? "never"} />
      {say(`versions.gate.${of.state}`)}
      {reason(of) && `: ${reason(of)}`}
      {of.detail && of.state !== "upgrading" && <small lang="en"> {of.detail}</small>}
    </span>
  );
}

/** How far a wave is, in a line. */
function waveState(w: Wave, current: boolean): string {
  const n = (state: string) => w.gates.filter((g) => g.state === state).length;
  const values = { done: n("done"), of: w.gates.length };
  if (w.over) return say("versions.wave.over", values);
  if (!current || never(w.began)) return say("versions.wave.next", values);
  if (!never(w.well)) return say("versions.wave.soak", values);
  return say("versions.wave.on", values);
}

/** The upgrade that is on or was stopped. */
function On({ of, limits, again }: { of: Rollout; limits: Record<string, number>; again: () => void }) {
  const failure = useSignal("");
  const act = async (act: string) => {
    failure.value = "";
    try {
      await post("/api/versions/do", { id: of.id, do: act });
      again();
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const current = of.waves.findIndex((w) => !w.over);
  const away = of.waves[current]?.gates.some((g) => g.state === "waits");
  const button = (what: string, main = false) => (
    <button type="button" class={main ? "main" : undefined} onClick={() => void act(what)}>
      {say(`versions.do.${what}`)}
    </button>
  );
  return (
    <section id="rollout">
      <header>
        <h2>{say("versions.on", { version: of.version })}</h2>
        <span class="row">
          {of.state === "running" && button("stop")}
          {of.state === "stopped" && button("go-on", true)}
          {away && button("leave")}
          {button("end")}
        </span>
      </header>
      <p class={of.state === "stopped" ? "failed" : ""} role="status">
        <Shape of={of.state === "stopped" ? "red" : "ok"} />
        {say(`versions.state.${of.state}`)}
        {of.why && `: ${say(`versions.stop.${of.why}`, { gate: of.gate ? gateLabel(of.gate) : "" })}`}
      </p>
      <p>
        {of.by} · <Moment at={of.began} /> · {of.reason}
      </p>
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      <p class="soft">{say("versions.limits", limits)}</p>
      {of.waves.map((w, i) => (
        <details key={i} open={i === current}>
          <summary>
            <b>{say("versions.wave", { n: i + 1 })}</b> · {waveState(w, i === current)}
          </summary>
          <Table
            caption={say("versions.wave", { n: i + 1 })}
            head={["col.gate", "col.versions.state", "col.versions.since"]}
            rows={w.gates.map((g) => [<GateLink agent={g.agent} />, <StateOf gate={g} />, <Moment at={g.since} />])}
          />
        </details>
      ))}
    </section>
  );
}

const gateLabel = (agent: string) => {
  const name = compounds.value.get(agent);
  return name ? `${name} (${agent})` : agent;
};

/** What the county offers, and how gates know it. */
function Offers({ of }: { of: Versions }) {
  if (!of.serves) return <p class="empty">{say("versions.noserve")}</p>;
  return (
    <>
      {of.offered.length === 0 ? (
        <p class="empty">{say("versions.nooffer")}</p>
      ) : (
        <Table
          caption={say("versions.offered")}
          head={["col.versions.version", "col.versions.arch", "col.versions.packages"]}
          rows={of.offered.map((o) => [o.version, o.architectures.join(" "), o.packages.join(" ")])}
        />
      )}
      {of.fingerprint && (
        <p>
          {say("versions.key")} <code>{of.fingerprint}</code>
        </p>
      )}
    </>
  );
}

export function VersionsPage() {
  const data = useData<Versions>("/api/versions", 2);
  const v = data.data;
  return (
    <>
      <Waiting of={data} />
      {v && (
        <>
          {v.rollout && <On of={v.rollout} limits={v.limits} again={data.again} />}
          <section>
            <h2>{say("versions.offered")}</h2>
            <Offers of={v} />
          </section>
          <Plan of={v} again={data.again} />
          {v.past.length > 0 && (
            <section>
              <h2>{say("versions.past")}</h2>
              <Table
                caption={say("versions.past")}
                head={[
                  "col.versions.began",
                  "col.versions.version",
                  "command.by",
                  "command.reason",
                  "col.versions.end",
                ]}
                rows={v.past.map((r) => [
                  <Moment at={r.began} />,
                  r.version,
                  r.by,
                  r.reason,
                  `${say(`versions.state.${r.state}`)} · ${say("versions.sum", sum(r))}`,
                ])}
              />
            </section>
          )}
        </>
      )}
    </>
  );
}

/** How many gates of an upgrade have the version now. */
function sum(r: Rollout): { done: number; of: number } {
  const gates = r.waves.flatMap((w) => w.gates);
  return { done: gates.filter((g) => g.state === "done").length, of: gates.length };
}
