import { useSignal } from "@preact/signals";
import { compounds, post, say, words_for } from "./model";
import { Cards, type Card } from "./cards";
import { Ending, type End, Others, type Other } from "./others";
import { gateName, Moment, Table, time, useData, Waiting } from "./parts";

interface Gate {
  agent: string;
  fingerprint?: string;
  ends?: string;
  approved_by?: string;
  revoked?: string;
  revoked_by?: string;
  code_until?: string;
}
interface Asking {
  id: string;
  agent: string;
  fingerprint: string;
  from: string;
  at: string;
  replaces?: string;
}
interface Unknown {
  agent: string;
  first: string;
  last: string;
  messages: number;
  listed: boolean;
}
interface Enrolment {
  off?: string;
  one_key?: boolean;
  ending: End[];
  gates: Gate[];
  waiting: Asking[];
  others: Other[];
  unknown: Unknown[];
}
const day = 86_400_000;

/** Who waits, with what to compare by telephone: each one is ticked, and those that are may be approved together. */
function Asks({ list, decide }: { list: Asking[]; decide: (bodies: object[]) => void }) {
  const compared = useSignal<string[]>([]);
  const chosen = list.filter((w) => compared.value.includes(w.id));
  if (list.length === 0) return <p class="empty">{say("enrol.nobody")}</p>;
  return (
    <>
      <ul class="asks">
        {list.map((w) => (
          <li key={w.id}>
            <h3>
              {gateName(w.agent)} · {w.agent}
            </h3>
            <p class="fingerprint">{w.fingerprint}</p>
            <p>
              <Moment at={w.at} /> · {say("enrol.from", { from: w.from })}
            </p>
            {w.replaces && <p class="failed">{say("enrol.replaces", { fingerprint: w.replaces })}</p>}
            <p class="row">
              <button
                type="button"
                class="main"
                onClick={() => {
                  decide([{ id: w.id, do: "approve" }]);
                }}
              >
                {say("enrol.approve")}
              </button>
              <button
                type="button"
                onClick={() => {
                  decide([{ id: w.id, do: "refuse" }]);
                }}
              >
                {say("enrol.refuse")}
              </button>
              {list.length > 1 && (
                <label>
                  <input
                    type="checkbox"
                    checked={compared.value.includes(w.id)}
                    onInput={(e) => {
                      const others = compared.value.filter((id) => id !== w.id);
                      compared.value = e.currentTarget.checked ? [...others, w.id] : others;
                    }}
                  />{" "}
                  {say("enrol.compared")}
                </label>
              )}
            </p>
          </li>
        ))}
      </ul>
      {list.length > 1 && (
        <p>
          <button
            type="button"
            class="main"
            disabled={chosen.length === 0}
            onClick={() => {
              decide(chosen.map((w) => ({ id: w.id, do: "approve" })));
            }}
          >
            {say("enrol.approve.chosen", { n: chosen.length })}
          </button>
        </p>
      )}
    </>
  );
}

/** What is known of a gate's identity. */
function State({ of }: { of: Gate }) {
  if (of.revoked)
    return (
      <span class="failed">
        {say("enrol.revoked", { by: of.revoked_by ?? "" })} <Moment at={of.revoked} />
      </span>
    );
  const out = of.code_until && (
    <small>
      {say("enrol.code.out")} {time(of.code_until)}
    </small>
  );
  if (of.fingerprint || !out)
    return (
      <span>
        {of.fingerprint ?? say("enrol.none")} {out}
      </span>
    );
  return <span>{out}</span>;
}

/** The end of a certificate: gates renew theirs when a third of its life is left. */
function Ends({ of }: { of: Gate }) {
  if (!of.ends || of.revoked) return <>–</>;
  const left = Date.parse(of.ends) - Date.now();
  return (
    <span class={left < 20 * day ? "failed" : ""}>
      {time(of.ends)}
      {left < 0 && ` ${say("enrol.over")}`}
    </span>
  );
}

/** Who sends although nobody has enrolled it: nothing of it is taken. */
function Unknowns({ list }: { list: Unknown[] }) {
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{say("enrol.unknown")}</h2>
      <p>{say("enrol.unknown.what")}</p>
      <Table
        caption={say("enrol.unknown")}
        head={["col.gate", "enrol.unknown.kind", "enrol.first", "enrol.last", "enrol.messages"]}
        rows={list.map((u) => [
          u.agent,
          say(u.listed ? "enrol.unknown.gate" : "enrol.unknown.stranger"),
          <Moment at={u.first} />,
          <Moment at={u.last} />,
          String(u.messages),
        ])}
      />
    </section>
  );
}

/** Puts gates into service, and shuts them out. */
export function EnrolPage() {
  const data = useData<Enrolment>("/api/enrol", 3);
  const cards = useSignal<Card[]>([]);
  const revoking = useSignal("");
  const failure = useSignal("");
  const decide = async (...bodies: object[]) => {
    failure.value = revoking.value = "";
    try {
      for (const body of bodies) await post("/api/enrol/decide", body);
    } catch (e) {
      failure.value = words_for(e);
    }
    data.again();
  };
  const make = async (agents: string[]) => {
    failure.value = "";
    try {
      cards.value = (await (await post("/api/enrol/codes", { agents })).json()) as Card[];
      data.again();
      scrollTo(0, 0);
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const e = data.data;
  const without = e?.gates.filter((g) => !g.fingerprint || g.revoked).map((g) => g.agent) ?? [];
  const buttons = (g: Gate) => (
    <span class="row">
      {!e?.off && (
        <button
          type="button"
          onClick={() => {
            void make([g.agent]);
          }}
        >
          {say("enrol.make")}
        </button>
      )}
      {g.code_until && (
        <button
          type="button"
          aria-label={`${say("enrol.withdraw")}: ${g.agent}`}
          onClick={() => void decide({ withdraw: g.agent })}
        >
          {say("enrol.withdraw")}
        </button>
      )}
      {g.fingerprint && !g.revoked && (
        <button
          type="button"
          onClick={() => {
            if (revoking.value === g.agent) void decide({ revoke: g.agent });
            else revoking.value = g.agent;
          }}
        >
          {say(revoking.value === g.agent ? "enrol.revoke.sure" : "enrol.revoke")}
        </button>
      )}
    </span>
  );
  return (
    <div class="enrol">
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      <Cards
        list={cards.value}
        hide={() => {
          cards.value = [];
        }}
      />
      <section>
        <h2>{say("enrol.waiting")}</h2>
        <p>{say("enrol.compare")}</p>
        {e && (
          <Asks
            list={e.waiting}
            decide={(bodies) => {
              void decide(...bodies);
            }}
          />
        )}
      </section>
      {e?.one_key && <p class="failed">{say("enrol.one-key")}</p>}
      {e && <Ending list={e.ending} />}
      {e && <Unknowns list={e.unknown} />}
      {e && (
        <Others
          list={e.others}
          revoke={(name) => {
            void decide({ revoke: name });
          }}
        />
      )}
      <section>
        <header>
          <h2>{say("enrol.gates")}</h2>
          {without.length > 0 && !e?.off && (
            <button
              type="button"
              onClick={() => {
                void make(without);
              }}
            >
              {say("enrol.all", { n: without.length })}
            </button>
          )}
        </header>
        {e?.off && <p class="failed">{say("enrol.off")}</p>}
        <Waiting of={data} />
        {e && (
          <Table
            caption={say("enrol.gates")}
            head={["col.gate", "enrol.where", "enrol.identity", "enrol.ends", "enrol.by", "enrol.do"]}
            rows={e.gates.map((g) => [
              g.agent,
              compounds.value.get(g.agent) ?? "–",
              <State of={g} />,
              <Ends of={g} />,
              g.approved_by ?? "–",
              buttons(g),
            ])}
          />
        )}
      </section>
    </div>
  );
}
