// The page of drones and fogging machines: the state of each, and their runs.
import { useEffect } from "preact/hooks";
import { ago, has, machines, runsVersion, say, type Machine, type RunSummary } from "./model";
import { Link, Moment, Shape, Table, useData, Waiting } from "./parts";

/** The shape of a grade: evidence, doubt, or contradiction. */
const tones: Record<string, string> = {
  proven: "ok",
  measured: "ok",
  dry: "red",
  leak: "red",
  disputed: "amber",
  unproven: "amber",
  declared: "never",
};

export function Grade({ of }: { of: string }) {
  return (
    <span class={`grade ${of}`}>
      <Shape of={tones[of] ?? "amber"} />
      {say(`grade.${of}`)}
    </span>
  );
}

export const litres = (v?: number | null) =>
  v === undefined || v === null ? "–" : say("unit.litres", { n: v.toFixed(1) });
export const metres = (v: number) =>
  v < 1000 ? say("unit.metres", { n: Math.round(v) }) : say("unit.km", { n: (v / 1000).toFixed(2) });
export const percent = (v?: number) => (v === undefined ? "–" : `${Math.round(v)}%`);

export function lasted(seconds: number): string {
  const s = Math.round(seconds);
  return s < 60 ? say("unit.s", { n: s }) : say("unit.min", { n: Math.floor(s / 60), s: s % 60 });
}

export const sources = (text: string) =>
  text
    .split("+")
    .map((s) => (has(`source.${s}`) ? say(`source.${s}`) : s))
    .join(" + ");
export const runPath = (r: { machine: string; run: string }) =>
  `/runs/${encodeURIComponent(r.machine)}/${encodeURIComponent(r.run)}`;

const looks: Record<string, string> = {
  working: "ok",
  idle: "ok",
  paused: "ok",
  fault: "red",
  gone: "silent",
  silent: "silent",
  never: "never",
};

function Level({ what, value }: { what: string; value?: number }) {
  return (
    <span class="level">
      {say(what)}
      {value !== undefined && (
        <i aria-hidden="true">
          <b style={`width:${Math.max(0, Math.min(100, value))}%`} />
        </i>
      )}
      <span>{percent(value)}</span>
    </span>
  );
}

function Tile({ of: m }: { of: Machine }) {
  const state = say(`machine.${m.state}`);
  const word = m.heard ? ago(m.heard) : say("tile.never");
  return (
    <Link
      to={`/machines/${encodeURIComponent(m.machine)}`}
      class={`machine ${m.state}`}
      label={
        `${m.name} ${m.machine}: ${state}, ${say("tile.word")} ${word}, ` +
        `${say("machine.battery")} ${percent(m.battery_pct)}, ${say("machine.tank")} ${percent(m.tank_pct)}`
      }
    >
      <span class="name">
        <b>{m.name}</b>
        <small>{m.machine}</small>
      </span>
      <span class="state">
        <Shape of={looks[m.state] ?? "never"} />
        {state}
        {m.fault && `: ${m.fault}`}
      </span>
      <Level what="machine.battery" value={m.battery_pct} />
      <Level what="machine.tank" value={m.tank_pct} />
      <span class="age">
        {say("tile.word")} {word}
      </span>
      <span class="age">
        {say("machines.last")}: {m.last ? <Grade of={m.last.grade} /> : "–"}
      </span>
    </Link>
  );
}

export function MachinesPage({ machine }: { machine: string }) {
  const list = [...machines.value.values()].sort((a, b) => a.machine.localeCompare(b.machine, "en", { numeric: true }));
  const m = machines.value.get(machine);
  return (
    <>
      {machine && (
        <p>
          <Link to="/machines">← {say("machines.all")}</Link>
        </p>
      )}
      <section>
        <h2>{machine ? `${m?.name ?? machine} · ${machine}` : say("nav.machines")}</h2>
        {list.length === 0 ? (
          <p class="empty">{say("machines.none")}</p>
        ) : machine && !m ? (
          <p class="empty">{say("machines.unknown")}</p>
        ) : (
          <div class="machines">
            {(m ? [m] : list).map((x) => (
              <Tile key={x.machine} of={x} />
            ))}
          </div>
        )}
      </section>
      <Runs machine={machine} />
    </>
  );
}

function Runs({ machine }: { machine: string }) {
  const data = useData<RunSummary[]>(`/api/runs?machine=${encodeURIComponent(machine)}`, 30);
  useEffect(() => {
    if (data.data) data.again();
  }, [runsVersion.value]);
  return (
    <section>
      <h2>{say("runs.title")}</h2>
      <Waiting of={data} />
      {data.data &&
        (data.data.length === 0 ? (
          <p class="empty">{say("runs.none")}</p>
        ) : (
          <Table
            caption={say("runs.title")}
            head={[
              "col.begin",
              "col.machine",
              "col.grade",
              "col.litres",
              "col.on",
              "col.distance",
              "col.sorties",
              "col.operator",
              "col.source",
            ]}
            rows={data.data.map((r) => [
              <Link to={runPath(r)} label={`${say("runs.open")} ${r.run}`}>
                <Moment at={r.start} />
              </Link>,
              r.name,
              <>
                {r.state === "open" && <b class="open">{say("run.open")} · </b>}
                <Grade of={r.grade} />
              </>,
              litres(r.litres),
              lasted(r.on_s),
              metres(r.distance_m),
              r.sorties,
              r.operator || "–",
              sources(r.source),
            ])}
          />
        ))}
    </section>
  );
}
