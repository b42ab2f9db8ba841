// The page of one run with its evidence: as text, on a map, as a chart.
import { say, type RunPage as Page } from "./model";
import { Link, Shape, time, useData, Waiting } from "./parts";
import { Grade, lasted, litres, metres, percent, sources } from "./machines";
import { RunChart } from "./runchart";
import { RunMap } from "./runmap";

type Run = Page["run"];

function Line({ is, text }: { is?: boolean; text: string }) {
  return (
    <li class={is === undefined ? "unknown" : is ? "yes" : "no"}>
      <Shape of={is === undefined ? "never" : is ? "ok" : "amber"} />
      {text}
    </li>
  );
}

/** The variant of the sentence about the tank: "{a} to {b}" where its size is not known. */
const tankKnown = (r: Run) =>
  r.tank_l === undefined && r.tank_first !== undefined
    ? "nosize"
    : r.tank_fell === undefined
      ? "unknown"
      : r.tank_fell
        ? "yes"
        : "no";

/** The variant of the sentence about the way. */
const wayKnown = (r: Run) =>
  r.moved !== undefined ? (r.moved ? "yes" : "no") : r.reasons.includes("no-position") ? "unknown" : "one";

/** What agreed and what did not, one sentence each. */
function Evidence({ of: r }: { of: Run }) {
  const line = (
    key: string,
    is: boolean | undefined,
    values: Record<string, string | number>,
    how = is === undefined ? "unknown" : is ? "yes" : "no",
  ) => <Line is={is} text={say(`evidence.${key}.${how}`, values)} />;
  return (
    <section>
      <h2>{say("run.evidence")}</h2>
      <p class="judged">
        <Grade of={r.grade} /> {say(`grade.${r.grade}.text`)}
      </p>
      <ul class="evidence">
        {r.grade === "declared" ? (
          <Line text={say("evidence.declared", { t: lasted(r.command_s) })} />
        ) : (
          line("commanded", r.commanded, { t: lasted(r.command_s) })
        )}
        {line("flowed", r.flowed, { l: litres(r.litres), t: lasted(r.flow_s) })}
        {line(
          "tank",
          r.tank_fell,
          { l: litres(r.tank_l), a: percent(r.tank_first), b: percent(r.tank_last) },
          tankKnown(r),
        )}
        {line("moved", r.moved, { m: metres(r.distance_m) }, wayKnown(r))}
        {r.unasked_l > 0.05 && <Line is={false} text={say("evidence.unasked", { l: litres(r.unasked_l) })} />}
        {r.gap_s > 0 && <Line is={false} text={say("evidence.gaps", { t: lasted(r.gap_s) })} />}
        {r.bad_fixes > 0 && <Line is={false} text={say("evidence.fixes", { n: r.bad_fixes })} />}
        {r.faults.map((f) => (
          <Line key={f} is={false} text={say("evidence.fault", { text: f })} />
        ))}
      </ul>
      {r.reasons.length > 0 && (
        <p class="why">
          {say("run.why")}: {r.reasons.map((c) => say(`why.${c}`)).join(" · ")}
        </p>
      )}
    </section>
  );
}

/** How the tank fell: "12.0 L (90% → 65%, refills: 1, 35% in all)". */
function fall(r: Run): string {
  if (r.tank_first === undefined) return "–";
  const refills = r.refills ? `, ${say("run.refills", { n: r.refills, p: percent(r.refilled) })}` : "";
  return `${litres(r.tank_l)} (${percent(r.tank_first)} → ${percent(r.tank_last)}${refills})`;
}

function Numbers({ of: r }: { of: Run }) {
  const rows: [string, string | number][] = [
    ["col.begin", time(r.start)],
    ["col.end", r.state === "open" ? say("run.open") : time(r.end)],
    ["col.litres", litres(r.litres)],
    ["run.tank", fall(r)],
    ["col.on", lasted(r.on_s)],
    ["col.distance", metres(r.distance_m)],
    ["col.sorties", r.sorties],
    ["col.operator", r.operator ?? "–"],
    ["col.source", sources(r.source)],
  ];
  return (
    <dl class="numbers">
      {rows.map(([what, value]) => (
        <div key={what}>
          <dt>{say(what)}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function RunPage({ machine, run }: { machine: string; run: string }) {
  const data = useData<Page>(`/api/run?machine=${encodeURIComponent(machine)}&run=${encodeURIComponent(run)}`, 10);
  const r = data.data?.run;
  return (
    <>
      <p>
        <Link to={`/machines/${encodeURIComponent(machine)}`}>← {say("run.back")}</Link>
      </p>
      <Waiting of={data} />
      {data.data && r && (
        <>
          <section class="runhead">
            <h2>
              {r.name} · {time(r.start)}
            </h2>
            <Grade of={r.grade} />
            {r.state === "open" && <b class="open">{say("run.open")}</b>}
            <Numbers of={r} />
          </section>
          <div class="runparts">
            <div>
              <RunMap page={data.data} />
            </div>
            <div>
              <Evidence of={r} />
              <RunChart page={data.data} />
            </div>
          </div>
        </>
      )}
    </>
  );
}
