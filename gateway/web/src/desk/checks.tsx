import { gates, say } from "./model";
import { GateLink, Shape, Table, time, useData, Waiting } from "./parts";
import type { FieldCheck, Thermometer } from "./types";

const signed = (t: number) => `${t > 0 ? "+" : ""}${t.toFixed(2)} °C`;
const day = (at: string) => new Date(at).toLocaleDateString("sv-SE"); // such as 2020-02-14

/** What a check has found, in words. */
function Result({ of }: { of: FieldCheck }) {
  const r = of.result;
  if (!r) return null;
  const faults = (r.faults ?? []).map((f) => ` · ${say(`check.fault.${f}`)}`);
  return (
    <>
      <span class={`type ${r.passed ? "" : "amber"}`}>
        {!r.passed && <Shape of="amber" />}
        {say(r.passed ? "check.passed" : "check.failed")}
      </span>
      {faults}
    </>
  );
}

/** What is under way, or was given up, after the last check with a result. */
const later = (c?: FieldCheck) =>
  c ? say(`check.${c.state}`, { time: time(c.began_at), n: c.pairs?.length ?? 0 }) : "";

/** A thermometer that the gate does not have any more, as far as that is known. */
function gone(t: Thermometer): boolean {
  const devices = gates.value.get(t.agent)?.devices;
  return devices !== undefined && !devices.some((d) => d.name === t.device);
}

function row(t: Thermometer) {
  const { done } = t;
  const r = done?.result;
  return [
    <GateLink agent={t.agent} />,
    <>
      {t.device}
      {gone(t) && ` · ${say("check.gone")}`}
    </>,
    r ? (
      <span class={`type ${t.overdue ? "red" : ""}`}>
        {t.overdue && <Shape of="red" />}
        {day(r.due_at)}
        {t.overdue && ` · ${say("check.overdue")}`}
      </span>
    ) : (
      "–"
    ),
    done ? say("check.when", { time: day(done.began_at), n: done.pairs?.length ?? 0 }) : say("check.never"),
    <>
      {done && <Result of={done} />}
      {done && t.now && " · "}
      {later(t.now)}
    </>,
    r ? `${signed(r.mean_error_c)} (±${r.spread_c.toFixed(2)})` : "–",
    done ? celsius2(done.offset_c) : "–",
    r ? celsius2(r.proposed_offset_c) : "–",
  ];
}

const celsius2 = (t: number) => `${t.toFixed(2)} °C`;

const head = ["col.gate", "check.device", "check.due", "check.last", "check.result"];

/** The last field check of each thermometer; those that are overdue come first. */
export function ChecksPage() {
  const all = useData<Thermometer[]>("/api/checks", 15);
  const overdue = all.data?.filter((t) => t.overdue).length ?? 0;
  return (
    <section>
      <h2>{say("check.title")}</h2>
      <p>{say("check.text")}</p>
      <Waiting of={all} />
      {overdue > 0 && <p role="status">{say("check.count", { n: overdue })}</p>}
      {all.data &&
        (all.data.length === 0 ? (
          <p class="empty">{say("check.none")}</p>
        ) : (
          <Table
            caption={say("check.title")}
            head={[...head, "check.mean", "check.offset", "check.proposed"]}
            rows={all.data.map(row)}
          />
        ))}
    </section>
  );
}
