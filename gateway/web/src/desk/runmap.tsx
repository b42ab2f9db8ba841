// The map of a run.
import { say, type RunPage as Page } from "./model";
import { metres } from "./machines";

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
  const at = ([x, y]: readonly [number, number]) =>
    [width / 2 + (x - (x0 + x1) / 2) * scale, height / 2 + (y - (y0 + y1) / 2) * scale] as const;
  return { flat, path, at, scale };
}

/** A round length that is some 120 pixels long. */
function bar(scale: number): number {
  for (const m of [2000, 1000, 500, 200, 100, 50, 20, 10, 5]) if (m * scale <= 160) return m;
  return 2;
}

export function RunMap({ page }: { page: Page }) {
  if (page.points.length === 0)
    return (
      <section>
        <h2>{say("run.map")}</h2>
        <p class="empty">{say(page.run.distance_m > 0 ? "run.mapgone" : "run.nomap")}</p>
      </section>
    );
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
  // A machine that stands ends where it began: the marks are drawn beside each other.
  if (begin && end && Math.hypot(end[0] - begin[0], end[1] - begin[1]) < 22) end = [begin[0] + 24, begin[1]];
  return (
    <section>
      <header>
        <h2>{say("run.map")}</h2>
        <p class="key">
          <span>
            <i class="wet" />
            {say("run.spraying")}
          </span>
          <span>
            <i class="dryway" />
            {say("run.moving")}
          </span>
          <span>{say("run.tolerance", { n: page.tolerance_m })}</span>
        </p>
      </header>
      <svg
        class="map"
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={say("run.map.label", { m: metres(page.run.distance_m) })}
      >
        {page.places.map((c) => {
          const corners = c.polygon.map(([lon, lat]) => at(flat(lat, lon)));
          const middle = [
            corners.reduce((n, p) => n + p[0], 0) / corners.length,
            corners.reduce((n, p) => n + p[1], 0) / corners.length,
          ] as const;
          return (
            <g key={c.name}>
              <polygon points={corners.map(f).join(" ")} class="place" />
              {middle[0] > 0 && middle[0] < width && middle[1] > 0 && middle[1] < height && (
                <text x={middle[0]} y={middle[1]} text-anchor="middle">
                  {c.name}
                </text>
              )}
            </g>
          );
        })}
        <g class="track">
          <path d={wet} class="wet" style={`stroke-width:${swath.toFixed(1)}`} />
          <path d={way} class="way" />
          {begin && (
            <g class="mark">
              <circle cx={begin[0]} cy={begin[1]} r="9" />
              <text x={begin[0]} y={begin[1] + 4} text-anchor="middle">
                {say("run.mark.begin")}
              </text>
            </g>
          )}
          {end && page.run.state !== "open" && (
            <g class="mark">
              <rect x={end[0] - 9} y={end[1] - 9} width="18" height="18" />
              <text x={end[0]} y={end[1] + 4} text-anchor="middle">
                {say("run.mark.end")}
              </text>
            </g>
          )}
        </g>
        <g class="scale">
          <path d={`M16 ${height - 14}v-6h${(length * scale).toFixed(1)}v6`} />
          <text x="16" y={height - 26}>
            {metres(length)}
          </text>
        </g>
        <g class="scale">
          <path d={`M${width - 24} 44V14m-6 9 6-9 6 9`} />
          <text x={width - 24} y="60" text-anchor="middle">
            {say("run.north")}
          </text>
        </g>
      </svg>
    </section>
  );
}
