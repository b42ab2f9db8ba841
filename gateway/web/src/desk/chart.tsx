// Passages by hour as bars, the mean screening temperature as a line, and the
// same figures as a table for whoever can't see the chart.
import { useSignal } from "@preact/signals";
import { clock, say, type Hour } from "./model";
import { celsius, Table, useData, Waiting } from "./parts";

const spans: [string, number, number][] = [
  ["24h", 24, 1],
  ["7d", 24 * 7, 6],
  ["30d", 24 * 30, 24],
];
const kinds = ["pass", "retest", "invalid", "refuse", "fever"] as const;

interface Bar {
  at: number;
  counts: Record<(typeof kinds)[number], number>;
  mean: number | null;
}

/** Hours gathered into bars of step hours; hours without passages are zero. */
function bars(hours: Hour[], count: number, step: number, now: number): Bar[] {
  const hour = 3_600_000;
  const size = step * hour;
  const zone = new Date(now).getTimezoneOffset() * 60_000;
  const last = Math.floor((now - zone) / size) * size + zone;
  const out: Bar[] = [];
  for (let at = last - (count / step - 1) * size; at <= last; at += size) {
    const of = hours.filter((h) => Date.parse(h.at) >= at && Date.parse(h.at) < at + size);
    const counts = { pass: 0, retest: 0, invalid: 0, refuse: 0, fever: 0 };
    let sum = 0;
    let weight = 0;
    for (const h of of) {
      for (const k of kinds) counts[k] += h[k];
      if (h.mean_c !== null) {
        const n = Math.max(1, h.pass + h.fever);
        sum += h.mean_c * n;
        weight += n;
      }
    }
    out.push({ at, counts, mean: weight ? sum / weight : null });
  }
  return out;
}

function label(at: number, step: number): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  return step === 1 ? `${two(d.getHours())}:00` : step === 24 ? day : `${day} ${two(d.getHours())}:00`;
}

const total = (b: Bar) => kinds.reduce((n, k) => n + b.counts[k], 0);

const width = 900;
const height = 210;
const left = 46;
const right = 46;
const foot = 22;
const [cool, warm] = [35, 38.5]; // the line's axis, °C

function Drawing({ list, step }: { list: Bar[]; step: number }) {
  const most = Math.max(4, ...list.map(total));
  const top = Math.ceil(most / 4) * 4;
  const slot = (width - left - right) / list.length;
  const y = (n: number) => (height - foot) * (1 - n / top) + 4 * (n / top);
  const yc = (c: number) => (height - foot) * (1 - (Math.min(warm, Math.max(cool, c)) - cool) / (warm - cool)) + 4;
  const line = list.map((b, i) => (b.mean === null ? null : ([left + (i + 0.5) * slot, yc(b.mean)] as const)));
  let d = "";
  line.forEach((p, i) => {
    if (p) d += `${i > 0 && line[i - 1] ? "L" : "M"}${p[0].toFixed(1)} ${p[1].toFixed(1)}`;
  });
  const every = Math.ceil(list.length / 12);
  return (
    <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={say("chart.label")}>
      {[0, 1, 2, 3, 4].map((i) => {
        const n = (top / 4) * i;
        return (
          <g key={i}>
            <line x1={left} x2={width - right} y1={y(n)} y2={y(n)} class="rule" />
            <text x={left - 6} y={y(n) + 4} text-anchor="end">
              {n}
            </text>
          </g>
        );
      })}
      {[35, 36, 37, 38].map((c) => (
        <text key={c} x={width - right + 6} y={yc(c) + 4} class="degrees">
          {c}°
        </text>
      ))}
      {list.map((b, i) => {
        let base = 0;
        return (
          <g key={b.at}>
            <title>{`${label(b.at, step)}: ${total(b)}`}</title>
            {kinds.map((k) => {
              const from = base;
              base += b.counts[k];
              return (
                b.counts[k] > 0 && (
                  <rect
                    key={k}
                    class={k}
                    x={left + i * slot + slot * 0.12}
                    width={slot * 0.76}
                    y={y(base)}
                    height={Math.max(1, y(from) - y(base))}
                  />
                )
              );
            })}
            {i % every === 0 && (
              <text x={left + (i + 0.5) * slot} y={height - 5} text-anchor="middle">
                {label(b.at, step)}
              </text>
            )}
          </g>
        );
      })}
      <path d={d} class="mean" />
      {line.map((p, i) => p && <circle key={i} cx={p[0]} cy={p[1]} r="2.6" class="dot" />)}
    </svg>
  );
}

export function Chart({ agent }: { agent: string }) {
  const which = useSignal(0);
  const [, count, step] = spans[which.value] ?? ["", 24, 1];
  const hours = useData<Hour[]>(`/api/hours?agent=${encodeURIComponent(agent)}&for=${count}h`, 20);
  const list = hours.data ? bars(hours.data, count, step, clock.peek()) : [];
  return (
    <section class="chartbox">
      <header>
        <h2>{say("chart.title")}</h2>
        <div class="row" role="group">
          {spans.map(([name], i) => (
            <button
              key={name}
              type="button"
              aria-pressed={which.value === i}
              onClick={() => {
                which.value = i;
              }}
            >
              {say(`chart.${name}`)}
            </button>
          ))}
        </div>
      </header>
      <Waiting of={hours} />
      {hours.data &&
        (list.every((b) => total(b) === 0) ? (
          <p class="empty">{say("chart.none")}</p>
        ) : (
          <>
            <Drawing list={list} step={step} />
            <p class="key">
              {kinds.map((k) => (
                <span key={k}>
                  <i class={k} />
                  {say(`verdict.${k}`)}
                </span>
              ))}
              <span>
                <i class="mean" />
                {say("col.mean")}
              </span>
            </p>
            <details>
              <summary>{say("chart.table")}</summary>
              <Table
                caption={say("chart.label")}
                head={["col.time", "col.pass", "col.retest", "col.invalid", "col.refuse", "col.fever", "col.mean"]}
                rows={[...list]
                  .reverse()
                  .filter((b) => total(b) > 0)
                  .map((b) => [label(b.at, step), ...kinds.map((k) => b.counts[k]), celsius(b.mean)])}
              />
            </details>
          </>
        ))}
    </section>
  );
}
