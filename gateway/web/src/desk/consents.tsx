// What needs two people: what waits for the second one, and what became of it.
import { clock, has, post, say } from "./model";
import { confirm } from "./confirm";
import { Listed, useList } from "./listed";
import { Moment, time } from "./parts";

export interface Request {
  id: number;
  act: string;
  object?: string;
  detail?: string;
  asked_by: string;
  asked_at: string;
  expires: string;
  agreed_by?: string;
  refused_by?: string;
  done_at?: string;
  own?: boolean;
  may_agree?: boolean;
}

/** An act of a later version of the program is shown by its code. */
const act = (of: string) => (has(`consent.act.${of}`) ? say(`consent.act.${of}`) : of);

/** What it is done to: the county and its gates, or its data, in words. */
function object(r: Request): string {
  const [, county, , without] = /^county (\S+), (gates|data, without (\d+) gates)$/.exec(r.object ?? "") ?? [];
  if (r.act !== "end" || !county) return r.object ?? "–";
  return without === undefined ? say("consent.of.gates", { county }) : say("consent.of.data", { county, n: without });
}

const over = (r: Request) => Date.parse(r.expires) <= clock.value;
const waits = (r: Request) => !r.agreed_by && !r.refused_by && !r.done_at && !over(r);

function standing(r: Request): string {
  if (r.done_at) return say("consent.done", { name: r.agreed_by ?? "" });
  if (r.refused_by) return say("consent.refused", { name: r.refused_by });
  if (over(r)) return say("consent.expired");
  if (r.agreed_by) return say("consent.agreed", { name: r.agreed_by });
  return say("consent.waits", { time: time(r.expires) });
}

export function ConsentsPage() {
  const data = useList<Request>("/api/consents", 3);
  const buttons = (r: Request) =>
    waits(r) ? (
      <span class="row">
        {r.may_agree && (
          <button
            type="button"
            class="main"
            aria-label={`${say("consent.agree")}: ${r.id}`}
            onClick={() => {
              confirm(
                say("consent.confirm", { act: act(r.act), object: object(r), name: r.asked_by }),
                async (password) => {
                  await post("/api/consent", { id: r.id, password });
                  data.again();
                },
              );
            }}
          >
            {say("consent.agree")}
          </button>
        )}
        {(r.may_agree ?? r.own) && (
          <button
            type="button"
            aria-label={`${say(r.own ? "consent.back" : "consent.refuse")}: ${r.id}`}
            onClick={() => void data.act("/api/consent", { id: r.id, refuse: true })}
          >
            {say(r.own ? "consent.back" : "consent.refuse")}
          </button>
        )}
      </span>
    ) : (
      "–"
    );
  return (
    <section>
      <h2>{say("consent.title")}</h2>
      <p>{say("consent.how")}</p>
      <Listed
        of={data}
        caption={say("consent.title")}
        none={say("consent.none")}
        head={["consent.number", "col.time", "consent.what", "consent.of", "consent.by", "consent.state", "col.do"]}
        row={(r) => [r.id, <Moment at={r.asked_at} />, act(r.act), object(r), r.asked_by, standing(r), buttons(r)]}
      />
    </section>
  );
}
