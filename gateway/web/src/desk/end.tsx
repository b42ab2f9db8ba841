// The end of the county's service: who has asked for it and agreed, which gates have ended, and the certificate.
import { useSignal } from "@preact/signals";
import { confirm, OwnPassword } from "./confirm";
import type { Request } from "./consents";
import { FormDialog } from "./dialog";
import { clock, confirmed, gates, get, has, may, post, provided, say, words_for } from "./model";
import { gateName, Link, Moment, Shape, Table, time, useData, Waiting } from "./parts";

interface Gate {
  agent: string;
  state: string;
  received?: string;
  through?: number;
}
interface End {
  county: string;
  asked?: Request;
  id?: string;
  by?: string;
  begun?: string;
  finished?: string;
  missing: number;
  gates: Gate[];
  steps: { name: string; done: string; detail: string }[];
}

/** Who has decided; the server says it as consents are written. */
function deciders(by: string): string {
  const [, id, asked, agreed] = /^consent (\d+), asked by (.+), agreed by (.+)$/.exec(by) ?? [];
  return id && asked && agreed ? say("end.by", { id, asked, agreed }) : by;
}

/** Asks for the county's name and the password, and tells the gates. */
function Begin({ of, did }: { of: End; did: () => void }) {
  const open = useSignal(false);
  const name = useSignal("");
  const password = useSignal("");
  return (
    <>
      <button type="button" class="main" onClick={() => (open.value = true)}>
        {say("end.begin")}…
      </button>
      <FormDialog
        id="endtitle"
        open={open.value}
        title={say("end.begin")}
        go={say("end.begin.go")}
        ready={name.value.trim() === of.county && (!provided.value || confirmed.value)}
        send={async () => {
          await post("/api/end/begin", { id: of.asked?.id, name: name.value, password: password.value });
          confirmed.value = false; // it counts for one act
          did();
        }}
        close={() => {
          open.value = false;
          name.value = password.value = "";
        }}
      >
        <p class="failed">{say("end.begin.text")}</p>
        <label>
          {say("end.name", { county: of.county })}
          <input
            name="county"
            type="text"
            autocomplete="off"
            required
            value={name.value}
            onInput={(e) => {
              name.value = e.currentTarget.value;
            }}
          />
        </label>
        <OwnPassword
          value={password.value}
          set={(v) => {
            password.value = v;
          }}
        />
      </FormDialog>
    </>
  );
}

/** How far the decision is, before the gates are told. */
function Decision({ of, did }: { of: End; did: () => void }) {
  const r = of.asked && Date.parse(of.asked.expires) > clock.value ? of.asked : undefined;
  const ask = () => {
    confirm(say("end.ask.text", { county: of.county }), async (password) => {
      await post("/api/end/ask", { password });
      did();
    });
  };
  return (
    <>
      <p role="status">
        {!r
          ? say("end.none")
          : r.refused_by
            ? say("end.refused", { name: r.refused_by })
            : say(r.agreed_by ? "end.agreed" : "end.waits", {
                id: r.id,
                asked: r.asked_by,
                agreed: r.agreed_by ?? "",
                time: time(r.expires),
              })}
      </p>
      <p class="row">
        {may("end-begin") && (!r || r.refused_by) && (
          <button type="button" onClick={ask}>
            {say("end.ask")}…
          </button>
        )}
        {may("end-begin") && r?.agreed_by && !r.refused_by && <Begin of={of} did={did} />}
        {r && !r.refused_by && !r.agreed_by && <Link to="/consents">{say("nav.consents")}</Link>}
      </p>
    </>
  );
}

const marks: Record<string, string> = { ended: "ok", told: "amber" };
const ranks = ["told", "revoked", "unknown", "anew", "ended"];

function Gates({ of }: { of: Gate[] }) {
  const list = of.toSorted((a, b) => ranks.indexOf(a.state) - ranks.indexOf(b.state));
  return (
    <Table
      caption={say("end.gates")}
      head={["col.gate", "enrol.where", "col.state", "end.receipt", "tile.word", "end.records"]}
      rows={list.map((g) => {
        const heard = gates.value.get(g.agent)?.heard;
        return [
          g.agent,
          gateName(g.agent),
          <span class={g.state === "ended" ? "" : "failed"}>
            <Shape of={marks[g.state] ?? "silent"} />
            {say(`end.state.${g.state}`)}
          </span>,
          g.received ? <Moment at={g.received} /> : "–",
          heard ? <Moment at={heard} /> : say("tile.never"),
          g.through ?? "–",
        ];
      })}
    />
  );
}

/** What was destroyed at the county, and the certificate to print. */
function Certificate({ of }: { of: End }) {
  const text = useSignal("");
  const failure = useSignal("");
  const show = async () => {
    failure.value = "";
    try {
      text.value = (await get<{ text: string }>("/api/end/certificate")).text;
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  return (
    <>
      {of.finished && (
        <p class="row">
          <button type="button" class="main" onClick={() => void show()}>
            {say("end.certificate.show")}
          </button>
        </p>
      )}
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {text.value && (
        <section class="printed">
          <header>
            <h2>{say("end.certificate")}</h2>
            <button
              type="button"
              class="main"
              onClick={() => {
                print();
              }}
            >
              {say("end.print")}
            </button>
          </header>
          <pre class="certificate" tabIndex={0}>
            {text.value}
          </pre>
        </section>
      )}
    </>
  );
}

/** What was done in a step: the server says it in English. */
const details: [RegExp, string][] = [
  [/^(\d+) files or folders$/, "end.detail.files"],
  [/^(\d+) rows$/, "end.detail.rows"],
  [/^(\d+) bytes of (\d+) stay$/, "end.detail.bytes"],
  [/^(\d+) bytes, no pseudonym$/, "end.detail.scan"],
  [/^there (?:is no folder of them|are none)$/, "end.detail.none"],
  [/^it is another one: empty it there$/, "end.detail.elsewhere"],
];

function Done({ of }: { of: string }) {
  for (const [form, word] of details) {
    const [found, n = "", m = ""] = form.exec(of) ?? [];
    if (found !== undefined) return <>{say(word, { n, of: m })}</>;
  }
  return <span lang="en">{of}</span>;
}

/** What the county has destroyed itself. */
function Steps({ of }: { of: End["steps"] }) {
  return (
    <section>
      <h2>{say("end.steps")}</h2>
      <Table
        caption={say("end.steps")}
        head={["col.time", "end.step", "end.detail"]}
        rows={of.map((s) => [
          <Moment at={s.done} />,
          has(`end.step.${s.name}`) ? say(`end.step.${s.name}`) : s.name,
          s.name === "decision" ? deciders(s.detail) : <Done of={s.detail} />,
        ])}
      />
    </section>
  );
}

export function EndPage() {
  const data = useData<End>("/api/end", 3);
  const e = data.data;
  const ended = e?.gates.filter((g) => g.state === "ended").length ?? 0;
  return (
    <div class="ending">
      <section>
        <h2>{say("end.title")}</h2>
        <p>{say("end.how")}</p>
        <Waiting of={data} />
        {e && !e.id && <Decision of={e} did={data.again} />}
        {e?.begun && (
          <>
            <p role="status">
              {say("end.begun", { time: time(e.begun), by: deciders(e.by ?? "") })}{" "}
              {e.finished && say("end.finished", { time: time(e.finished), n: e.missing })}
            </p>
            <p>{say("end.sum", { n: ended, of: e.gates.length })}</p>
            {!e.finished && <p>{say(ended < e.gates.length ? "end.missing" : "end.next")}</p>}
            <Gates of={e.gates} />
          </>
        )}
      </section>
      {e && e.steps.length > 0 && <Steps of={e.steps} />}
      {e && <Certificate of={e} />}
    </div>
  );
}
