// The form in which a version of rules is written, or a file chosen.
import { useSignal } from "@preact/signals";
import { address, say, tree, words_for, type Node } from "./model";
/** A version of a policy, roster, list of guards, contacts or cases. */
export interface Version {
  id: number;
  kind: string;
  scope: string;
  no: number;
  state: string;
  author: string;
  made: string;
  note?: string;
  size: number;
  decided?: string;
  by?: string;
  in_force: boolean;
  locked: boolean;
}
const kinds = ["policy", "roster", "guards", "contacts", "cases"];

/** What is chosen in the form: compounds, and below each its gates. */
function Scopes({ value, set }: { value: string; set: (v: string) => void }) {
  const places: Node[] = [];
  const walk = (n: Node) => {
    if (n.gates) places.push(n);
    n.under?.forEach(walk);
  };
  if (tree.value) walk(tree.value);
  return (
    <label>
      {say("col.rules.for")}
      <select
        value={value}
        onInput={(e) => {
          set(e.currentTarget.value);
        }}
      >
        <option value="default">{say("rules.all")}</option>
        {places.map((p) => (
          <optgroup key={p.id} label={p.name}>
            <option value={p.id}>{say("rules.compound", { name: p.name })}</option>
            {p.gates?.map((g) => (
              <option key={g} value={g}>
                {p.name} · {g}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

/** A new draft: typed, or a file. */
export function Write({
  draft,
  done,
}: {
  draft: { kind: string; scope: string; text: string };
  done: (v: Version) => void;
}) {
  const kind = useSignal(draft.kind);
  const scope = useSignal(draft.scope);
  const text = useSignal<string | Blob>(draft.text);
  const note = useSignal("");
  const failure = useSignal("");
  const send = async (e: Event) => {
    e.preventDefault();
    failure.value = "";
    const q = new URLSearchParams({ kind: kind.value, scope: scope.value, note: note.value });
    try {
      const r = await fetch(address(`/api/rules/add?${q}`), { method: "POST", body: text.value });
      const body = (await r.json()) as Version & { code?: string };
      if (r.ok) done(body);
      else failure.value = say(`error.${body.code ?? "server"}`);
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  return (
    <form class="rulesnew" onSubmit={(e) => void send(e)}>
      <div class="row">
        <label>
          {say("col.rules.kind")}
          <select
            value={kind.value}
            onInput={(e) => {
              kind.value = e.currentTarget.value;
            }}
          >
            {kinds.map((k) => (
              <option key={k} value={k}>
                {say(`rules.kind.${k}`)}
              </option>
            ))}
          </select>
        </label>
        <Scopes
          value={scope.value}
          set={(v) => {
            scope.value = v;
          }}
        />
        <label>
          {say("rules.file")}
          <input
            type="file"
            onInput={(e) => {
              text.value = e.currentTarget.files?.[0] ?? "";
            }}
          />
        </label>
      </div>
      {typeof text.value === "string" && (
        <label>
          {say("rules.text")}
          <textarea
            rows={14}
            spellcheck={false}
            value={text.value}
            onInput={(e) => {
              text.value = e.currentTarget.value;
            }}
          />
        </label>
      )}
      <label>
        {say("col.rules.note")}
        <input
          type="text"
          maxLength={200}
          value={note.value}
          onInput={(e) => {
            note.value = e.currentTarget.value;
          }}
        />
      </label>
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      <p class="row">
        <button type="submit" class="main" disabled={text.value === ""}>
          {say("rules.save")}
        </button>
        <span class="empty">{say(`rules.hint.${kind.value}`)}</span>
      </p>
    </form>
  );
}
