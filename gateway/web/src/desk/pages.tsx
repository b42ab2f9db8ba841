import { useSignal } from "@preact/signals";
import { ago, gates, may, post, say, words_for, type Alert, type Passage } from "./model";
import { alertHead, alertRows } from "./alerts";
import { Bytes } from "./audit";
import { Chart } from "./chart";
import { Commands } from "./commands";
import { Why } from "./explain";
import { KeptFor } from "./kept";
import {
  celsius,
  gateName,
  GateLink,
  Help,
  Link,
  Moment,
  person,
  reasons,
  Shape,
  Table,
  troubleText,
  useData,
  Waiting,
  way,
} from "./parts";

export function GatePage({ agent }: { agent: string }) {
  const g = gates.value.get(agent);
  const data = useData<{ passages: Passage[] | null; alerts: Alert[] }>(
    `/api/gate?agent=${encodeURIComponent(agent)}`,
    5,
  );
  const online = g?.state === "online";
  return (
    <>
      <p>
        <Link to="/">← {say("gate.back")}</Link>
      </p>
      <section class="gatehead">
        <h2>
          {gateName(agent)} · {agent}
        </h2>
        {!g ? (
          <p class="empty">{say("gate.unknown")}</p>
        ) : (
          <dl>
            <dt>{say("col.state")}</dt>
            <dd class={online ? "" : "failed"}>
              <Shape of={online ? "ok" : g.state === "never" ? "never" : "silent"} />
              {say(`state.${g.state}`)}
            </dd>
            <dt>{say("tile.word")}</dt>
            <dd>{g.heard ? ago(g.heard) : say("tile.never")}</dd>
            <dt>{say("gate.backlog")}</dt>
            <dd>{g.backlog === undefined ? "–" : online ? g.backlog : say("gate.atleast", { n: g.backlog })}</dd>
            {g.oldest && (
              <>
                <dt>{say("gate.oldest")}</dt>
                <dd class="failed">{ago(g.oldest)}</dd>
              </>
            )}
            {g.full_in_h !== undefined && (
              <>
                <dt>{say("gate.full")}</dt>
                <dd class={g.full_in_h < 48 ? "failed" : ""}>{say("gate.full.in", { n: g.full_in_h })}</dd>
              </>
            )}
            {g.troubles?.length ? (
              <>
                <dt>{say("gate.troubles")}</dt>
                <dd class="failed">
                  {g.troubles.map((t) => (
                    <p key={t.kind + t.text}>
                      {troubleText(t)} <Help kind={t.kind} about={troubleText(t)} />
                    </p>
                  ))}
                </dd>
              </>
            ) : null}
            <dt>{say("gate.version")}</dt>
            <dd>{g.version || "–"}</dd>
            <dt>{say("gate.devices")}</dt>
            <dd>
              {g.devices?.length
                ? g.devices.map((d) => (
                    <span key={d.name} class={`device ${d.state}`}>
                      <Shape of={d.state === "ok" ? "ok" : "amber"} />
                      {d.name}: {say(`gate.device.${d.state}`)}
                    </span>
                  ))
                : say("gate.nodevices")}
            </dd>
          </dl>
        )}
      </section>
      {g && may("command") && <Commands agent={agent} />}
      <Chart agent={agent} />
      {may("passages") && (
        <section>
          <h2>{say("gate.passages")}</h2>
          <Waiting of={data} />
          {data.data?.passages &&
            (data.data.passages.length === 0 ? (
              <p class="empty">{say("feed.none")}</p>
            ) : (
              <Table
                caption={say("gate.passages")}
                head={[
                  "col.time",
                  "col.verdict",
                  "col.temperature",
                  "col.ambient",
                  "col.direction",
                  "col.class",
                  "col.reason",
                ]}
                rows={data.data.passages.map((p) => [
                  <Moment at={p.at} />,
                  <Why of={p} what={p.verdict} />,
                  celsius(p.screening_c),
                  celsius(p.ambient_c),
                  way(p.direction),
                  person(p.class),
                  reasons(p),
                ])}
              />
            ))}
        </section>
      )}
      <section>
        <h2>{say("gate.alerts")}</h2>
        {data.data &&
          (data.data.alerts.length === 0 ? (
            <p class="empty">{say("alerts.none")}</p>
          ) : (
            <Table caption={say("gate.alerts")} head={alertHead} rows={alertRows(data.data.alerts)} />
          ))}
      </section>
    </>
  );
}

const heads = ["col.time", "col.gate", "col.reason", "col.seq", "col.bytes", "col.text"];

interface Losses {
  quarantine: { id: number; at: string; agent: string; seq: number; reason: string; bytes: number }[];
  holes: { at: string; agent: string; from: number; to: number; reason: string }[];
}

/** What was not stored, and for how long the rest is kept: each for those who may see it. */
export function LossesPage() {
  return (
    <>
      {may("losses") && <NotStored />}
      {may("retention") && <KeptFor />}
    </>
  );
}

function NotStored() {
  const data = useData<Losses>("/api/losses", 10);
  const dropping = useSignal(0);
  const gone = useSignal<number[]>([]);
  const failure = useSignal("");
  const treat = async (id: number, drop: boolean) => {
    failure.value = "";
    dropping.value = 0;
    try {
      const answer = await post("/api/quarantine", { id, drop });
      if (answer.status === 200) {
        failure.value = say("losses.stays", { id, why: ((await answer.json()) as { stays: string }).stays });
        return;
      }
      gone.value = [...gone.value, id];
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const buttons = (id: number) =>
    dropping.value === id ? (
      <span class="row">
        <button
          type="button"
          class="main"
          onClick={() => {
            void treat(id, true);
          }}
        >
          {say("losses.drop.sure")}
        </button>
        <button
          type="button"
          onClick={() => {
            dropping.value = 0;
          }}
        >
          {say("alert.cancel")}
        </button>
      </span>
    ) : (
      <span class="row">
        <button
          type="button"
          aria-label={`${say("losses.retry")}: ${id}`}
          onClick={() => {
            void treat(id, false);
          }}
        >
          {say("losses.retry")}
        </button>
        <button
          type="button"
          aria-label={`${say("losses.drop")}: ${id}`}
          onClick={() => {
            dropping.value = id;
          }}
        >
          {say("losses.drop")}
        </button>
      </span>
    );
  return (
    <>
      <Waiting of={data} />
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {data.data && (
        <>
          <section>
            <h2>{say("losses.quarantine")}</h2>
            {data.data.quarantine.length === 0 ? (
              <p class="empty">{say("losses.quarantine.none")}</p>
            ) : (
              <Table
                caption={say("losses.quarantine")}
                head={[...heads, ...(may("quarantine") ? ["col.do"] : [])]}
                rows={data.data.quarantine
                  .filter((p) => !gone.value.includes(p.id))
                  .map((p) => [
                    <Moment at={p.at} />,
                    p.agent ? <GateLink agent={p.agent} /> : "–",
                    p.reason,
                    p.seq || "–",
                    <span class="whole">{p.bytes}</span>,
                    may("quarantine") ? <Bytes key={p.id} id={p.id} /> : "–",
                    ...(may("quarantine") ? [buttons(p.id)] : []),
                  ])}
              />
            )}
          </section>
          <section>
            <h2>{say("losses.holes")}</h2>
            {data.data.holes.length === 0 ? (
              <p class="empty">{say("losses.holes.none")}</p>
            ) : (
              <Table
                caption={say("losses.holes")}
                head={["col.time", "col.gate", "col.range", "col.reason"]}
                rows={data.data.holes.map((h) => [
                  <Moment at={h.at} />,
                  <GateLink agent={h.agent} />,
                  `${h.from}–${h.to}`,
                  say(`hole.${h.reason}`),
                ])}
              />
            )}
          </section>
        </>
      )}
    </>
  );
}
