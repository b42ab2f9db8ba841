// The gates with their versions, and the choice of waves for an upgrade.
import { useSignal } from "@preact/signals";
import { confirm } from "./confirm";
import { compounds, post, say, tree, words_for, type Node } from "./model";
import { GateLink, Moment, Shape, Table } from "./parts";
import { has, type GateVersion, type Versions } from "./versions";

/** The ids of all gates under a node of the county. */
const under = (n: Node): string[] =>
  n.under?.length ? n.under.flatMap(under) : compounds.value.has(n.id) ? [n.id] : [];

/** How a gate stands to upgrades from the desk, in words. */
function Stands({ of }: { of: GateVersion }) {
  const u = of.upgrade;
  if (!of.program && !u) return <>{say("versions.unknown")}</>;
  if (!u) return <>{say("versions.why.too-old")}</>;
  const last = u.state && `${u.to} ${say(`versions.up.${u.state}`)}`;
  const bad = u.state === "back" || u.state === "stuck";
  return (
    <span class={bad ? "failed" : ""}>
      <Shape of={u.lacks ? "amber" : bad ? "red" : "ok"} />
      {u.lacks ? say(`versions.why.${u.lacks}`) : say("versions.can")}
      {last && ` · ${last}`}
      {u.why && <small lang="en"> {u.why}</small>}
    </span>
  );
}

/** How many gates have which version. */
function Counts({ of }: { of: GateVersion[] }) {
  const counts = new Map<string, number>();
  for (const g of of) counts.set(has(g), (counts.get(has(g)) ?? 0) + 1);
  const list = [...counts].toSorted((a, b) => b[1] - a[1]);
  return <p>{list.map(([v, n]) => say("versions.count", { version: v || say("versions.unknown"), n })).join(" · ")}</p>;
}

/** The gates, and what is planned with them. */
export function Plan({ of, again }: { of: Versions; again: () => void }) {
  const version = useSignal("");
  const why = useSignal("");
  const waves = useSignal<string[][]>([]);
  const chosen = useSignal<string[]>([]);
  const failure = useSignal("");
  const on = of.rollout;
  const placed = new Map<string, number>();
  (on?.waves.map((w) => w.gates.map((g) => g.agent)) ?? waves.value).forEach((w, i) => {
    for (const g of w) placed.set(g, i + 1);
  });
  const gates = of.gates.filter((g) => compounds.value.has(g.agent));
  const wanted = on?.version ?? (version.value || of.offered[0]?.version) ?? "";
  const free = (g: GateVersion) => !placed.has(g.agent) && has(g) !== wanted;
  const rest = gates.filter(free).map((g) => g.agent);
  const pick = (list: string[]) => {
    chosen.value = [...new Set([...chosen.value, ...list.filter((a) => rest.includes(a))])];
  };
  const add = async () => {
    const wave = chosen.value.filter((a) => !placed.has(a));
    failure.value = "";
    try {
      if (on) {
        await post("/api/versions/do", { id: on.id, do: "wave", gates: wave });
        again();
      } else waves.value = [...waves.value, wave];
      chosen.value = [];
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const begin = () => {
    const n = waves.value.flat().length;
    confirm(say("versions.sure", { version: wanted, n, waves: waves.value.length }), async (password) => {
      await post("/api/versions/begin", { version: wanted, reason: why.value, waves: waves.value, password });
      waves.value = [];
      why.value = "";
      again();
    });
  };
  return (
    <section id="plan">
      <h2>{say(on ? "versions.gates" : "versions.plan")}</h2>
      <Counts of={of.gates} />
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {of.offered.length > 0 && (
        <>
          {!on && (
            <p class="row">
              <label>
                {say("versions.to")}{" "}
                <select
                  value={wanted}
                  onInput={(e) => {
                    version.value = e.currentTarget.value;
                  }}
                >
                  {of.offered.map((o) => (
                    <option key={o.version}>{o.version}</option>
                  ))}
                </select>
              </label>
              <label class="text">
                {say("versions.reason")}
                <input
                  name="reason"
                  type="text"
                  maxLength={100}
                  value={why.value}
                  onInput={(e) => {
                    why.value = e.currentTarget.value;
                  }}
                />
              </label>
            </p>
          )}
          <Choose
            pick={pick}
            rest={rest}
            chosen={chosen.value.length}
            add={() => void add()}
            clear={() => (chosen.value = [])}
            n={(on?.waves ?? waves.value).length + 1}
          />
          {!on && waves.value.length > 0 && (
            <div class="planned">
              <ol>
                {waves.value.map((w, i) => (
                  <li key={i}>
                    {say("versions.planned", { n: w.length })}: {w.slice(0, 6).join(", ")}
                    {w.length > 6 && " …"}{" "}
                    <button
                      type="button"
                      aria-label={say("versions.drop.label", { n: i + 1 })}
                      onClick={() => {
                        waves.value = waves.value.filter((_, j) => j !== i);
                      }}
                    >
                      {say("versions.drop")}
                    </button>
                  </li>
                ))}
              </ol>
              <p class="soft">{say("versions.limits", of.limits)}</p>
              <button type="button" class="main" disabled={why.value.trim() === ""} onClick={begin}>
                {say("versions.begin", { version: wanted })}
              </button>
            </div>
          )}
        </>
      )}
      <Table
        caption={say("versions.gates")}
        head={["col.versions.choose", "col.gate", "col.versions.version", "col.versions.stands", "col.versions.heard"]}
        rows={of.gates.map((g) => [
          <Choice
            of={g.agent}
            wave={placed.get(g.agent)}
            free={rest.includes(g.agent) && of.offered.length > 0}
            on={chosen.value.includes(g.agent)}
            set={(on) => {
              chosen.value = on ? [...chosen.value, g.agent] : chosen.value.filter((a) => a !== g.agent);
            }}
          />,
          <GateLink agent={g.agent} />,
          has(g) || say("versions.unknown"),
          <Stands of={g} />,
          g.heard ? (
            <>
              {!g.online && `${say("versions.away")} · `}
              <Moment at={g.heard} />
            </>
          ) : (
            say("versions.unheard")
          ),
        ])}
      />
    </section>
  );
}

/** Chooses a gate, or says in which wave it is. */
function Choice({
  of,
  wave,
  free,
  on,
  set,
}: {
  of: string;
  wave: number | undefined;
  free: boolean;
  on: boolean;
  set: (on: boolean) => void;
}) {
  if (wave !== undefined) return <>{say("versions.wave", { n: wave })}</>;
  return (
    <input
      type="checkbox"
      aria-label={say("versions.choose", { gate: of })}
      disabled={!free}
      checked={on}
      onInput={(e) => {
        set(e.currentTarget.checked);
      }}
    />
  );
}

/** Chooses many gates at once, and makes a wave of them. */
function Choose({
  pick,
  rest,
  chosen,
  add,
  clear,
  n,
}: {
  pick: (list: string[]) => void;
  rest: string[];
  chosen: number;
  add: () => void;
  clear: () => void;
  n: number;
}) {
  return (
    <p class="row">
      <select
        aria-label={say("versions.community")}
        value=""
        onInput={(e) => {
          const node = tree.value?.under?.find((c) => c.id === e.currentTarget.value);
          if (node) pick(under(node));
          e.currentTarget.value = "";
        }}
      >
        <option value="">{say("versions.community")}</option>
        {tree.value?.under?.map((c) => (
          <option key={c.id} value={c.id}>
            {c.name}
          </option>
        ))}
      </select>
      <button
        type="button"
        disabled={rest.length === 0}
        onClick={() => {
          pick(rest);
        }}
      >
        {say("versions.rest", { n: rest.length })}
      </button>
      <button type="button" class="main" disabled={chosen === 0} onClick={add}>
        {say("versions.add", { n, gates: chosen })}
      </button>
      {chosen > 0 && (
        <button type="button" onClick={clear}>
          {say("versions.clear")}
        </button>
      )}
    </p>
  );
}
