// The chart of a run: flow and tank by time.
import { say, type RunPage as Page } from "./model";
import { Table, time } from "./parts";

const wide = 640;
const tall = 200;
const left = 46;
const foot = 22;

export function RunChart({ page }: { page: Page }) {
  const list = page.chart;
  const flows = list.map((p) => p.flow_lpm);
  const tanks = list.map((p) => p.tank_pct);
  const none = (l: (number | null)[]) => l.every((v) => v === null);
  if (list.length < 2 || (none(flows) && none(tanks))) {
    return (
      <section>
        <h2>{say("run.chart")}</h2>
        <p class="empty">{say(none(flows) && none(tanks) ? "run.nochart" : "run.onechart")}</p>
      </section>
    );
  }
  const [t0, t1] = [Date.parse(list[0]?.at ?? ""), Date.parse(list[list.length - 1]?.at ?? "")];
  const x = (at: string) => left + ((Date.parse(at) - t0) / Math.max(1, t1 - t0)) * (wide - 2 * left);
  const top = Math.max(1, Math.ceil(Math.max(...flows.map((v) => v ?? 0)) / 4) * 4);
  const y = (v: number, most: number) => 6 + (tall - foot - 6) * (1 - v / most);
  const line = (values: (number | null)[], most: number) => {
    let d = "";
    values.forEach((v, i) => {
      const p = list[i];
      if (v !== null && p)
        d += `${i > 0 && values[i - 1] !== null && d ? "L" : "M"}${x(p.at).toFixed(1)} ${y(v, most).toFixed(1)}`;
    });
    return d;
  };
  return (
    <section class="chartbox">
      <header>
        <h2>{say("run.chart")}</h2>
        <p class="key">
          {!none(flows) && (
            <span>
              <i class="flow" />
              {say("run.flow")}
            </span>
          )}
          {!none(tanks) && (
            <span>
              <i class="tank" />
              {say("machine.tank")}
            </span>
          )}
          <span>
            <i class="on" />
            {say("run.spraying")}
          </span>
        </p>
      </header>
      <svg class="chart" viewBox={`0 0 ${wide} ${tall}`} role="img" aria-label={say("run.chart.label")}>
        {list.map(
          (p, i) =>
            p.on &&
            list[i + 1] && (
              <rect
                key={p.at}
                class="on"
                x={x(p.at)}
                y="6"
                width={Math.max(1, x(list[i + 1]?.at ?? p.at) - x(p.at) + 0.5)}
                height={tall - foot - 6}
              />
            ),
        )}
        {[0, 1, 2, 3, 4].map((i) => (
          <g key={i}>
            <line x1={left} x2={wide - left} y1={y(i, 4)} y2={y(i, 4)} class="rule" />
            {!none(flows) && (
              <text x={left - 6} y={y(i, 4) + 4} text-anchor="end">
                {(top / 4) * i}
              </text>
            )}
            {!none(tanks) && (
              <text x={wide - left + 6} y={y(i, 4) + 4}>
                {25 * i}%
              </text>
            )}
          </g>
        ))}
        {[0, 1, 2, 3].map((i) => (
          <text
            key={i}
            x={left + (i / 3) * (wide - 2 * left)}
            y={tall - 5}
            text-anchor={i === 0 ? "start" : i === 3 ? "end" : "middle"}
          >
            {time(new Date(t0 + (i / 3) * (t1 - t0)).toISOString())}
          </text>
        ))}
        <path d={line(tanks, 100)} class="tank" />
        <path d={line(flows, top)} class="flow" />
      </svg>
      <details>
        <summary>{say("chart.table")}</summary>
        <Table
          caption={say("run.chart.label")}
          head={["col.time", "run.flow", "machine.tank", "run.spraying"]}
          rows={list
            .filter((_, i) => i % Math.ceil(list.length / 60) === 0)
            .map((p) => [
              time(p.at),
              p.flow_lpm?.toFixed(2) ?? "–",
              p.tank_pct === null ? "–" : `${p.tank_pct.toFixed(1)}%`,
              say(p.on ? "yes" : "no"),
            ])}
        />
      </details>
    </section>
  );
}
