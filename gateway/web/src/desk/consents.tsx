// What needs two people: what waits for the second one, and what became of it.
import { useSignal } from "@preact/signals";
import { clock, has, post, say, words_for } from "./model";
import { confirm } from "./confirm";
import { Moment, Table, time, useData, Waiting } from "./parts";

interface Request {
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
  const data = useData<Request[]>("/api/consents", 3);
  const failure = useSignal("");
  const decide = async (body: object) => {
    await post("/api/consent", body);
    data.again();
  };
  const refuse = async (r: Request) => {
    failure.value = "";
    try {
      await decide({ id: r.id, refuse: true });
    } catch (e) {
      failure.value = words_for(e);
    }
  };
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
                say("consent.confirm", { act: act(r.act), object: r.object ?? "", name: r.asked_by }),
                (password) => decide({ id: r.id, password }),
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
            onClick={() => void refuse(r)}
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
      <Waiting of={data} />
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {data.data &&
        (data.data.length === 0 ? (
          <p class="empty">{say("consent.none")}</p>
        ) : (
          <Table
            caption={say("consent.title")}
            head={["consent.number", "col.time", "consent.what", "consent.of", "consent.by", "consent.state", "col.do"]}
            rows={data.data.map((r) => [
              r.id,
              <Moment at={r.asked_at} />,
              act(r.act),
              r.object ?? "–",
              r.asked_by,
              standing(r),
              buttons(r),
            ])}
          />
        ))}
    </section>
  );
}
