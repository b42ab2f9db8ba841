// What gates decide by: versions of policies, rosters, guards, contacts and cases, and which gate has which.
import { useSignal } from "@preact/signals";
import { compounds, get, has, post, say, tree, user, words_for, type Node } from "./model";
import { confirm } from "./confirm";
import { gateName, Moment, Table, useData, Waiting } from "./parts";
import { Gates, type Standing } from "./rulegates";
import { Write, type Version } from "./ruleform";

interface Rules {
  two_people: boolean;
  versions: Version[];
  gates: Standing[];
}
interface Report {
  gates: number;
  people: number;
  faults: string[] | null;
  warnings: string[] | null;
  tried: number;
  changes: string[] | null;
  locked: string[] | null;
}

/** For which gates a version is. */
function scopeName(scope: string): string {
  if (scope === "default") return say("rules.all");
  const find = (n: Node): string | undefined =>
    n.id === scope ? n.name : n.under?.map(find).find((name) => name !== undefined);
  if (compounds.value.has(scope)) return `${gateName(scope)} · ${scope}`;
  return (tree.value && find(tree.value)) ?? scope;
}

function Lines({ title, of, tone = "" }: { title: string; of: string[] | null; tone?: string }) {
  if (!of?.length) return null;
  return (
    <>
      <h4 class={tone}>{say(title, { n: of.length })}</h4>
      <pre lang="en" class="rulestext">
        {of.join("\n")}
      </pre>
    </>
  );
}

/** What is found of a version, and what can be done with it. */
function Open({ of, two, did, edit }: { of: Version; two: boolean; did: () => void; edit: (text: string) => void }) {
  const report = useData<Report>(`/api/rules/check?id=${of.id}`, 3600);
  const text = useSignal<string | null>(null);
  const failure = useSignal("");
  const read = async () => {
    try {
      return (await get<{ text: string }>(`/api/rules/text?id=${of.id}`)).text;
    } catch (e) {
      failure.value = words_for(e);
      return null;
    }
  };
  const act = (act: string, lock = false) => {
    const what = { what: say(`rules.kind.${of.kind}`), scope: scopeName(of.scope), no: of.no };
    confirm(say(`rules.sure.${lock ? "lock" : act}`, what), async (password) => {
      await post("/api/rules/do", { id: of.id, do: act, lock, password });
      did();
    });
  };
  const ask = async () => {
    try {
      await post("/api/rules/do", { id: of.id, do: "ask" });
      did();
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const r = report.data;
  const good = r && !r.faults?.length;
  const open = of.state === "draft" || of.state === "waiting";
  return (
    <section class="rulesopen">
      <h3>
        {say(`rules.kind.${of.kind}`)} · {scopeName(of.scope)} · {say("rules.no", { no: of.no })}
      </h3>
      <Waiting of={report} />
      {r && (
        <>
          <p role="status" class={good ? "" : "failed"}>
            {say(good ? "rules.good" : "rules.faulty", { n: r.faults?.length ?? 0 })} ·{" "}
            {say("rules.reach", { n: r.gates })}
            {of.kind === "roster" && ` · ${say("rules.people", { n: r.people })}`}
            {r.tried > 0 && ` · ${say("rules.tried", { n: r.tried })}`}
          </p>
          <Lines title="rules.faults" of={r.faults} tone="failed" />
          <Lines title="rules.locked" of={r.locked} tone="failed" />
          <Lines title="rules.warnings" of={r.warnings} />
          <Lines title="rules.changes" of={r.changes} />
        </>
      )}
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      <p class="row">
        {of.state === "draft" && two && (
          <button type="button" class="main" disabled={!good} onClick={() => void ask()}>
            {say("rules.ask")}
          </button>
        )}
        {(two ? of.state === "waiting" : open) && (
          <button
            type="button"
            class="main"
            disabled={!good || (two && of.author === user.value)}
            onClick={() => {
              act("approve", !!r?.locked?.length);
            }}
          >
            {say("rules.approve")}
          </button>
        )}
        {two && of.state === "waiting" && of.author === user.value && <span>{say("rules.other")}</span>}
        {(open || (of.in_force && !two)) && (
          <button
            type="button"
            onClick={() => {
              act("withdraw");
            }}
          >
            {say("rules.withdraw")}
          </button>
        )}
        {!of.locked && (
          <>
            <button
              type="button"
              onClick={() => {
                if (text.value === null) void read().then((t) => (text.value = t));
                else text.value = null;
              }}
            >
              {say(text.value === null ? "rules.show" : "rules.hide")}
            </button>
            <button
              type="button"
              onClick={() => {
                void read().then((t) => {
                  if (t !== null) edit(t);
                });
              }}
            >
              {say("rules.edit")}
            </button>
          </>
        )}
      </p>
      {text.value !== null && <pre class="rulestext">{text.value}</pre>}
    </section>
  );
}

export function RulesPage() {
  const data = useData<Rules>("/api/rules", 3);
  const open = useSignal(0);
  const draft = useSignal<{ key: number; kind: string; scope: string; text: string } | null>(null);
  const r = data.data;
  const shown = r?.versions.find((v) => v.id === open.value);
  const again = () => {
    open.value = 0;
    data.again();
  };
  const state = (v: Version) =>
    v.in_force ? "in-force" : v.state === "approved" ? "replaced" : has(`rules.state.${v.state}`) ? v.state : "draft";
  return (
    <div class="rules">
      <section>
        <header>
          <h2>{say("nav.rules")}</h2>
          <button
            type="button"
            class="main"
            onClick={() => {
              draft.value = draft.value ? null : { key: Date.now(), kind: "policy", scope: "default", text: "" };
            }}
          >
            {say(draft.value ? "rules.cancel" : "rules.new")}
          </button>
        </header>
        <p>{say(r?.two_people ? "rules.about.two" : "rules.about")}</p>
        {r?.versions.some((v) => v.locked) && (
          <p class="failed" role="alert">
            {say("error.rules-vault")}
          </p>
        )}
        {draft.value && (
          <Write
            key={draft.value.key}
            draft={draft.value}
            done={(v) => {
              draft.value = null;
              open.value = v.id;
              data.again();
            }}
          />
        )}
        <Waiting of={data} />
        {shown && (
          <Open
            key={`${shown.id} ${shown.state}`}
            of={shown}
            two={r?.two_people ?? false}
            did={again}
            edit={(text) => {
              draft.value = { key: Date.now(), kind: shown.kind, scope: shown.scope, text };
              scrollTo(0, 0);
            }}
          />
        )}
        {r?.versions.length === 0 && <p class="empty">{say("rules.none")}</p>}
        {r && r.versions.length > 0 && (
          <Table
            caption={say("nav.rules")}
            head={[
              "col.rules.kind",
              "col.rules.for",
              "col.rules.no",
              "col.rules.state",
              "col.rules.author",
              "col.rules.by",
              "col.rules.note",
              "col.do",
            ]}
            rows={r.versions.map((v) => [
              say(`rules.kind.${v.kind}`),
              scopeName(v.scope),
              v.no,
              <b class={v.in_force ? "inforce" : ""}>{say(`rules.state.${state(v)}`)}</b>,
              <>
                {v.author} · <Moment at={v.made} />
              </>,
              v.by ?? "–",
              v.note ?? "",
              <button
                type="button"
                aria-label={`${say("rules.look")}: ${say(`rules.kind.${v.kind}`)} ${v.scope} ${v.no}`}
                onClick={() => {
                  open.value = open.value === v.id ? 0 : v.id;
                }}
              >
                {say(open.value === v.id ? "rules.close" : "rules.look")}
              </button>,
            ])}
          />
        )}
      </section>
      {r && <Gates of={r.gates} />}
    </div>
  );
}
