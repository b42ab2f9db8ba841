// Which gate decides by which version of its rules.
import { say } from "./model";
import { gateName, Moment, Table } from "./parts";

/** A set of rules at a gate. */
interface InForce {
  no: number;
  version: string;
}
/** How a gate stands to the set that is meant for it. */
export interface Standing {
  gate: string;
  state: string;
  meant?: InForce;
  at?: string;
  in_force?: InForce;
  behind?: string;
  why?: string;
}
/** Which set a gate has, in words. */
const setName = (s?: InForce) => (s ? `${s.version} · ${s.no}` : "–");

/** The gates, those that are behind first. */
export function Gates({ of }: { of: Standing[] }) {
  const rank = ["refused", "unmade", "coming", "away", "by-hand", "same"];
  const list = of.toSorted((a, b) => rank.indexOf(a.state) - rank.indexOf(b.state));
  const same = of.filter((g) => g.state === "same").length;
  return (
    <section>
      <h2>{say("rules.gates")}</h2>
      <p>{say("rules.gates.sum", { n: same, of: of.length })}</p>
      <Table
        caption={say("rules.gates")}
        head={["col.gate", "enrol.where", "col.rules.state", "col.rules.has", "col.rules.meant", "col.rules.behind"]}
        rows={list.map((g) => [
          g.gate,
          gateName(g.gate),
          <span class={["refused", "unmade"].includes(g.state) ? "failed" : ""}>
            {say(`rules.gate.${g.state}`)}
            {g.why && (
              <>
                <br />
                <span lang="en">{g.why}</span>
              </>
            )}
          </span>,
          setName(g.in_force),
          setName(g.meant),
          g.behind ? <Moment at={g.behind} /> : "–",
        ])}
      />
    </section>
  );
}
