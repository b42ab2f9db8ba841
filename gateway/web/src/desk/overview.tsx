import { ago, alerts, compounds, feed, gates, may, say, totals, tree, worst, type Gate, type Node } from "./model";
import { AlertList } from "./alerts";
import { Chart } from "./chart";
import { Why } from "./explain";
import { celsius, GateLink, Link, person, reasons, Shape, time, way } from "./parts";

/** The state that a tile shows: silence first, because everything else known of a silent gate is old. */
function face(agent: string, g?: Gate): string {
  if (!g || g.state === "never") return "never";
  if (g.state !== "online") return "silent";
  return worst.value.get(agent) ?? "ok";
}

function Tile({ agent, name }: { agent: string; name: string }) {
  const g = gates.value.get(agent);
  const look = face(agent, g);
  const word = g?.heard
    ? ago(g.heard)
    : look === "never"
      ? say("state.never")
      : look === "silent"
        ? say("state.silent")
        : "…";
  const state = look === "silent" ? say(`state.${g?.state ?? "silent"}`) : say(`legend.${look}`);
  return (
    <Link
      to={`/gates/${encodeURIComponent(agent)}`}
      class={`tile ${look}`}
      label={`${name} ${agent}: ${state}, ${say("tile.word")} ${word}`}
    >
      <span class="name">{name}</span>
      <span class="age">
        <Shape of={look} />
        {word}
      </span>
    </Link>
  );
}

function Community({ node }: { node: Node }) {
  return (
    <section class="community">
      <h3>{node.name}</h3>
      <div class="grids">
        {node.under?.map((grid) => (
          <div class="grid" key={grid.id} role="group" aria-label={grid.name} title={grid.name}>
            {grid.under?.flatMap((c) => (c.gates ?? []).map((g) => <Tile key={g} agent={g} name={c.name} />))}
          </div>
        ))}
      </div>
    </section>
  );
}

function Count({ n, what, tone }: { n: number; what: string; tone?: string }) {
  return (
    <div class={`count ${n > 0 && tone ? tone : ""}`}>
      <b>{n.toLocaleString("en")}</b> {say(what)}
    </div>
  );
}

export function Counts() {
  const list = [...gates.value.values()];
  const known = list.filter((g) => compounds.value.has(g.agent)); // the others bridge machines
  const t = totals.value;
  const unseen = alerts.value.filter((a) => !a.acked);
  return (
    <div class="counts">
      <Count n={unseen.filter((a) => a.level === "red").length} what="count.red" tone="red" />
      <Count n={unseen.filter((a) => a.level === "amber").length} what="count.amber" tone="amber" />
      <Count
        n={known.filter((g) => g.state === "silent" || g.state === "offline").length}
        what="count.silent"
        tone="dark"
      />
      <Count n={known.filter((g) => g.state === "online").length} what="count.online" />
      <Count n={list.reduce((n, g) => n + (g.backlog ?? 0), 0)} what="count.backlog" />
      <Count n={t?.verdicts.pass ?? 0} what="count.hour" />
    </div>
  );
}

export function Overview() {
  return (
    <div class="overview">
      <section class="tiles" aria-labelledby="tilestitle">
        <header>
          <h2 id="tilestitle">{say("tiles.title")}</h2>
          <p class="legend">
            {["red", "amber", "ok", "silent", "never"].map((l) => (
              <span key={l} class={l}>
                <Shape of={l} />
                {say(`legend.${l}`)}
              </span>
            ))}
          </p>
        </header>
        {tree.value?.under ? (
          tree.value.under.map((c) => <Community key={c.id} node={c} />)
        ) : (
          <p class="empty">{say("data.loading")}</p>
        )}
      </section>
      <div class="side">
        <section aria-labelledby="alertstitle">
          <h2 id="alertstitle">{say("alerts.title")}</h2>
          <div class="alertbox" tabIndex={0} role="region" aria-labelledby="alertstitle">
            <AlertList most={40} />
          </div>
        </section>
        <Chart agent="" />
        {may("passages") && (
          <section>
            <h2>{say("feed.title")}</h2>
            {!feed.value ? (
              <p class="empty">{say("data.loading")}</p>
            ) : feed.value.length === 0 ? (
              <p class="empty">{say("feed.none")}</p>
            ) : (
              <ul class="feed">
                {feed.value.map((p) => (
                  <li key={p.agent + p.at}>
                    <time>{time(p.at)}</time>
                    <Why of={p} what={p.verdict} />
                    <span>{celsius(p.screening_c)}</span>
                    <span>{way(p.direction)}</span>
                    <span>{person(p.class)}</span>
                    <GateLink agent={p.agent} />
                    <span class="why">{reasons(p)}</span>
                  </li>
                ))}
              </ul>
            )}
          </section>
        )}
      </div>
    </div>
  );
}
