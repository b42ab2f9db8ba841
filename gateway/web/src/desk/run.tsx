// One run with its evidence: in words, on a map, as a chart.
import { say, type RunPage as Page } from "./model";
import { Link, Shape, Table, time, useData, Waiting } from "./parts";
import { Grade, lasted, litres, metres, percent, sources } from "./machines";

type Run = Page["run"];

function Line({ is, text }: { is?: boolean; text: string }) {
  return <li class={is === undefined ? "unknown" : is ? "yes" : "no"}><Shape of={is === undefined ? "never" : is ? "ok" : "amber"} />{text}</li>;
}

/** What is said of the tank: "{a} to {b}" where its size is not known. */
const tankKnown = (r: Run) => (r.tank_l === undefined && r.tank_first !== undefined ? "nosize" : r.tank_fell === undefined ? "unknown" : r.tank_fell ? "yes" : "no");

/** What is said of the way. */
const wayKnown = (r: Run) => (r.moved !== undefined ? (r.moved ? "yes" : "no") : r.reasons.includes("no-position") ? "unknown" : "one");

/** What agreed and what did not, each in a sentence. */
function Evidence({ of: r }: { of: Run }) {
  const told = (key: string, is: boolean | undefined, values: Record<string, string | number>, how = is === undefined ? "unknown" : is ? "yes" : "no") =>
    <Line is={is} text={say(`evidence.${key}.${how}`, values)} />;
  return (
    <section><h2>{say("run.evidence")}</h2>
      <p class="judged"><Grade of={r.grade} /> {say(`grade.${r.grade}.text`)}</p>
      <ul class="evidence">
        {r.grade === "declared" ? <Line text={say("evidence.declared", { t: lasted(r.command_s) })} /> : told("commanded", r.commanded, { t: lasted(r.command_s) })}
        {told("flowed", r.flowed, { l: litres(r.litres), t: lasted(r.flow_s) })}
        {told("tank", r.tank_fell, { l: litres(r.tank_l), a: percent(r.tank_first), b: percent(r.tank_last) }, tankKnown(r))}
        {told("moved", r.moved, { m: metres(r.distance_m) }, wayKnown(r))}
        {r.unasked_l > 0.05 && <Line is={false} text={say("evidence.unasked", { l: litres(r.unasked_l) })} />}
        {r.gap_s > 0 && <Line is={false} text={say("evidence.gaps", { t: lasted(r.gap_s) })} />}
        {r.bad_fixes > 0 && <Line is={false} text={say("evidence.fixes", { n: r.bad_fixes })} />}
        {r.faults.map((f) => <Line key={f} is={false} text={say("evidence.fault", { text: f })} />)}
      </ul>
      {r.reasons.length > 0 && <p class="why">{say("run.why")}: {r.reasons.map((c) => say(`why.${c}`)).join(" · ")}</p>}
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
    ["col.begin", time(r.start)], ["col.end", r.state === "open" ? say("run.open") : time(r.end)], ["col.litres", litres(r.litres)],
    ["run.tank", fall(r)],
    ["col.on", lasted(r.on_s)], ["col.distance", metres(r.distance_m)], ["col.sorties", r.sorties], ["col.operator", r.operator ?? "–"], ["col.source", sources(r.source)],
  ];
  return <dl class="numbers">{rows.map(([what, value]) => <div key={what}><dt>{say(what)}</dt><dd>{value}</dd></div>)}</dl>;
}

const width = 900;
const height = 520;
const margin = 36;

/** Metres on a plane around the path; fine for a few kilometres. */
function plane(page: Page) {
  const first = page.points[0] ?? { lat: 0, lon: 0 };
  const k = Math.cos((first.lat * Math.PI) / 180) * 111_320;
  const flat = (lat: number, lon: number) => [(lon - first.lon) * k, (first.lat - lat) * 111_320] as const;
  const path = page.points.map((p) => flat(p.lat, p.lon));
  const xs = path.map((p) => p[0]);
  const ys = path.map((p) => p[1]);
  const least = (l: number[]) => l.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (l: number[]) => l.reduce((a, b) => Math.max(a, b), -Infinity);
  const [x0, x1, y0, y1] = [least(xs), most(xs), least(ys), most(ys)];
  const room = 12; // metres around the path
  const scale = Math.min((width - 2 * margin) / (x1 - x0 + 2 * room), (height - 2 * margin) / (y1 - y0 + 2 * room));
  const at = ([x, y]: readonly [number, number]) => [width / 2 + (x - (x0 + x1) / 2) * scale, height / 2 + (y - (y0 + y1) / 2) * scale] as const;
  return { flat, path, at, scale };
}

/** A round length that is some 120 pixels long. */
function bar(scale: number): number {
  for (const m of [2000, 1000, 500, 200, 100, 50, 20, 10, 5]) if (m * scale <= 160) return m;
  return 2;
}

function Map({ page }: { page: Page }) {
  if (page.points.length === 0) return <section><h2>{say("run.map")}</h2><p class="empty">{say("run.nomap")}</p></section>;
  const { flat, path, at, scale } = plane(page);
  const dots = path.map(at);
  const f = (p: readonly [number, number]) => `${p[0].toFixed(1)} ${p[1].toFixed(1)}`;
  let wet = "";
  page.points.forEach((p, i) => {
    const [a, b] = [dots[i], dots[i + 1]];
    if (p.on && a && b) wet += `${i > 0 && page.points[i - 1]?.on ? "" : `M${f(a)}`}L${f(b)}`;
  });
  const way = dots.map((p, i) => `${i ? "L" : "M"}${f(p)}`).join("");
  const swath = Math.max(4, Math.min(26, 5 * scale));
  const length = bar(scale);
  const begin = dots[0];
  let end = dots[dots.length - 1];
  // One that stands ends where it began: the marks lie beside each other.
  if (begin && end && Math.hypot(end[0] - begin[0], end[1] - begin[1]) < 22) end = [begin[0] + 24, begin[1]];
  return (
    <section><header><h2>{say("run.map")}</h2>
      <p class="key"><span><i class="wet" />{say("run.spraying")}</span><span><i class="dryway" />{say("run.moving")}</span><span>{say("run.tolerance", { n: page.tolerance_m })}</span></p></header>
      <svg class="map" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={say("run.map.label", { m: metres(page.run.distance_m) })}>
        {page.places.map((c) => {
          const corners = c.polygon.map(([lon, lat]) => at(flat(lat, lon)));
          const middle = [corners.reduce((n, p) => n + p[0], 0) / corners.length, corners.reduce((n, p) => n + p[1], 0) / corners.length] as const;
          return <g key={c.name}><polygon points={corners.map(f).join(" ")} class="place" />
            {middle[0] > 0 && middle[0] < width && middle[1] > 0 && middle[1] < height && <text x={middle[0]} y={middle[1]} text-anchor="middle">{c.name}</text>}</g>;
        })}
        <g class="track">
          <path d={wet} class="wet" style={`stroke-width:${swath.toFixed(1)}`} />
          <path d={way} class="way" />
          {begin && <g class="mark"><circle cx={begin[0]} cy={begin[1]} r="9" /><text x={begin[0]} y={begin[1] + 4} text-anchor="middle">{say("run.mark.begin")}</text></g>}
          {end && page.run.state !== "open" && <g class="mark"><rect x={end[0] - 9} y={end[1] - 9} width="18" height="18" /><text x={end[0]} y={end[1] + 4} text-anchor="middle">{say("run.mark.end")}</text></g>}
        </g>
        <g class="scale"><path d={`M16 ${height - 14}v-6h${(length * scale).toFixed(1)}v6`} /><text x="16" y={height - 26}>{metres(length)}</text></g>
        <g class="scale"><path d={`M${width - 24} 44V14m-6 9 6-9 6 9`} /><text x={width - 24} y="60" text-anchor="middle">{say("run.north")}</text></g>
      </svg>
    </section>
  );
}

const wide = 640;
const tall = 200;
const left = 46;
const foot = 22;

function Chart({ page }: { page: Page }) {
  const list = page.chart;
  const flows = list.map((p) => p.flow_lpm);
  const tanks = list.map((p) => p.tank_pct);
  const none = (l: (number | null)[]) => l.every((v) => v === null);
  if (list.length < 2 || (none(flows) && none(tanks))) {
    return <section><h2>{say("run.chart")}</h2><p class="empty">{say(none(flows) && none(tanks) ? "run.nochart" : "run.onechart")}</p></section>;
  }
  const [t0, t1] = [Date.parse(list[0]?.at ?? ""), Date.parse(list[list.length - 1]?.at ?? "")];
  const x = (at: string) => left + ((Date.parse(at) - t0) / Math.max(1, t1 - t0)) * (wide - 2 * left);
  const top = Math.max(1, Math.ceil(Math.max(...flows.map((v) => v ?? 0)) / 4) * 4);
  const y = (v: number, most: number) => 6 + (tall - foot - 6) * (1 - v / most);
  const line = (values: (number | null)[], most: number) => {
    let d = "";
    values.forEach((v, i) => {
      const p = list[i];
      if (v !== null && p) d += `${i > 0 && values[i - 1] !== null && d ? "L" : "M"}${x(p.at).toFixed(1)} ${y(v, most).toFixed(1)}`;
    });
    return d;
  };
  return (
    <section class="chartbox"><header><h2>{say("run.chart")}</h2>
      <p class="key">{!none(flows) && <span><i class="flow" />{say("run.flow")}</span>}{!none(tanks) && <span><i class="tank" />{say("machine.tank")}</span>}<span><i class="on" />{say("run.spraying")}</span></p></header>
      <svg class="chart" viewBox={`0 0 ${wide} ${tall}`} role="img" aria-label={say("run.chart.label")}>
        {list.map((p, i) => p.on && list[i + 1] && <rect key={p.at} class="on" x={x(p.at)} y="6" width={Math.max(1, x(list[i + 1]?.at ?? p.at) - x(p.at) + 0.5)} height={tall - foot - 6} />)}
        {[0, 1, 2, 3, 4].map((i) => <g key={i}><line x1={left} x2={wide - left} y1={y(i, 4)} y2={y(i, 4)} class="rule" />
          {!none(flows) && <text x={left - 6} y={y(i, 4) + 4} text-anchor="end">{(top / 4) * i}</text>}{!none(tanks) && <text x={wide - left + 6} y={y(i, 4) + 4}>{25 * i}%</text>}</g>)}
        {[0, 1, 2, 3].map((i) => <text key={i} x={left + (i / 3) * (wide - 2 * left)} y={tall - 5} text-anchor={i === 0 ? "start" : i === 3 ? "end" : "middle"}>{time(new Date(t0 + (i / 3) * (t1 - t0)).toISOString())}</text>)}
        <path d={line(tanks, 100)} class="tank" /><path d={line(flows, top)} class="flow" />
      </svg>
      <details><summary>{say("chart.table")}</summary>
        <Table caption={say("run.chart.label")} head={["col.time", "run.flow", "machine.tank", "run.spraying"]}
          rows={list.filter((_, i) => i % Math.ceil(list.length / 60) === 0).map((p) => [time(p.at), p.flow_lpm?.toFixed(2) ?? "–", p.tank_pct === null ? "–" : `${p.tank_pct.toFixed(1)}%`, say(p.on ? "yes" : "no")])} />
      </details>
    </section>
  );
}

export function RunPage({ machine, run }: { machine: string; run: string }) {
  const data = useData<Page>(`/api/run?machine=${encodeURIComponent(machine)}&run=${encodeURIComponent(run)}`, 10);
  const r = data.data?.run;
  return (
    <>
      <p><Link to={`/machines/${encodeURIComponent(machine)}`}>← {say("run.back")}</Link></p>
      <Waiting of={data} />
      {data.data && r && (
        <>
          <section class="runhead"><h2>{r.name} · {time(r.start)}</h2><Grade of={r.grade} />{r.state === "open" && <b class="open">{say("run.open")}</b>}<Numbers of={r} /></section>
          <div class="runparts"><div><Map page={data.data} /></div><div><Evidence of={r} /><Chart page={data.data} /></div></div>
        </>)}
    </>
  );
}
