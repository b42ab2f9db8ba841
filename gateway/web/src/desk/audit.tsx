// Who did what at the county, and who looked at what.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, has, say, words_for } from "./model";
import { Moment, Table } from "./parts";

interface Entry {
  n: number;
  at: string;
  actor: string;
  role?: string;
  from?: string;
  action: string;
  object?: string;
  detail?: string;
  hash: string;
}

/** How many entries one answer has at most. */
const most = 200;

/** The actions in the order of the form; looks come last. */
const actions = [
  "start",
  "log-in",
  "log-in-failed",
  "log-out",
  "set-up",
  "invite",
  "set-role",
  "disable-user",
  "enable-user",
  "reset-password",
  "change-password",
  "end-session",
  "make-token",
  "revoke-token",
  "acknowledge",
  "answer-call",
  "end-call",
  "write-notice",
  "remove-notice",
  "retry-quarantine",
  "drop-quarantine",
  "rewind",
  "backup",
  "restore",
  "issue-pass",
  "change-guards",
  "enrol-code",
  "enrol-issue",
  "enrol-withdraw",
  "withdraw-invite",
  "enrol-approve",
  "enrol-refuse",
  "enrol-revoke",
  "enrol-renew",
  "command-gate",
  "open-gate",
  "ask-consent",
  "agree-consent",
  "refuse-consent",
  "trace",
  "access-report",
  "rules-draft",
  "rules-ask",
  "rules-approve",
  "rules-withdraw",
  "end-begin",
  "end-receipt",
  "end-destroy",
  "end-finish",
  "add-packages",
  "remove-packages",
  "upgrade-gates",
  "not-done",
  "look-live",
  "look-gate",
  "look-passage",
  "look-quarantine",
  "look-rules",
  "look-export",
  "look-replay",
  "look-audit",
];

/** What was done. One that a later version of the program knows is shown by its code. */
const done = (action: string) => (has(`audit.action.${action}`) ? say(`audit.action.${action}`) : action);

/** What it was done to: a kind, for which there is a word, and an id. */
function object(of = "–"): string {
  const [kind = "", ...id] = of.split(" ");
  return id.length > 0 && has(`audit.kind.${kind}`) ? `${say(`audit.kind.${kind}`)} ${id.join(" ")}` : of;
}

export function AuditPage() {
  const filter = useSignal({ actor: "", action: "", object: "", from: "", to: "" });
  const asked = useSignal("");
  const list = useSignal<Entry[] | null>(null);
  const failure = useSignal("");
  const whole = useSignal(false);
  const read = async (before: number) => {
    failure.value = "";
    try {
      const more = await get<Entry[]>(`/api/audit?${asked.value}${before ? `&before=${before}` : ""}`);
      list.value = before ? [...(list.value ?? []), ...more] : more;
      whole.value = more.length < most;
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const search = () => {
    const q = new URLSearchParams();
    for (const [key, value] of Object.entries(filter.value)) {
      if (value) q.set(key, key === "from" || key === "to" ? new Date(value).toISOString() : value.trim());
    }
    asked.value = q.toString();
    void read(0);
  };
  useEffect(search, []);
  const input = (name: "actor" | "object" | "from" | "to") => ({
    name,
    value: filter.value[name],
    onInput: (e: { currentTarget: HTMLInputElement }) => {
      filter.value = { ...filter.value, [name]: e.currentTarget.value };
    },
  });
  const text = (name: "actor" | "object") => (
    <label>
      {say(`audit.${name}`)}
      <input type="text" maxLength={128} {...input(name)} />
    </label>
  );
  const moment = (name: "from" | "to") => (
    <label>
      {say(`audit.${name}`)}
      <input type="datetime-local" {...input(name)} />
    </label>
  );
  const last = list.value?.at(-1)?.n ?? 0;
  return (
    <section>
      <h2>{say("audit.title")}</h2>
      <p>{say("audit.text")}</p>
      <form
        class="audit"
        onSubmit={(e) => {
          e.preventDefault();
          search();
        }}
      >
        {text("actor")}
        <label>
          {say("audit.action")}
          <select
            name="action"
            value={filter.value.action}
            onInput={(e) => {
              filter.value = { ...filter.value, action: e.currentTarget.value };
            }}
          >
            <option value="">{say("audit.all")}</option>
            {actions.map((a) => (
              <option key={a} value={a}>
                {done(a)}
              </option>
            ))}
          </select>
        </label>
        {text("object")}
        {moment("from")}
        {moment("to")}
        <button type="submit" class="main">
          {say("audit.search")}
        </button>
      </form>
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {list.value?.length === 0 && <p class="empty">{say("audit.none")}</p>}
      {list.value && list.value.length > 0 && (
        <Table
          caption={say("audit.title")}
          head={["col.n", "col.time", "col.actor", "col.from", "col.action", "col.object", "col.detail", "col.hash"]}
          rows={list.value.map((e) => [
            e.n,
            <Moment at={e.at} />,
            e.actor ? <Actor of={e} /> : "–",
            e.from ?? "–",
            done(e.action),
            object(e.object),
            e.detail ?? "–",
            <code title={e.hash}>{e.hash.slice(0, 12)}</code>,
          ])}
        />
      )}
      {last > 1 && !whole.value && (
        <p>
          <button
            type="button"
            onClick={() => {
              void read(last);
            }}
          >
            {say("audit.older")}
          </button>
        </p>
      )}
    </section>
  );
}

function Actor({ of }: { of: Entry }) {
  return (
    <>
      {of.actor}
      {of.role && ` · ${has(`people.role.${of.role}`) ? say(`people.role.${of.role}`) : of.role}`}
    </>
  );
}

/** The bytes of a row in quarantine: they may be about people, and that they were shown is an entry of the audit. */
export function Bytes({ id }: { id: number }) {
  const asking = useSignal(false);
  const text = useSignal<string | null>(null);
  const failure = useSignal("");
  const show = async () => {
    asking.value = false;
    failure.value = "";
    try {
      const x = await get<{ text: string; whole: boolean }>(`/api/quarantined?id=${id}`);
      text.value = x.text + (x.whole ? "" : "…");
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  if (text.value !== null) return <code>{text.value}</code>;
  if (asking.value)
    return (
      <span class="sure">
        {say("losses.show.text")}
        <span class="row">
          <button
            type="button"
            class="main"
            onClick={() => {
              void show();
            }}
          >
            {say("losses.show.sure")}
          </button>
          <button
            type="button"
            onClick={() => {
              asking.value = false;
            }}
          >
            {say("alert.cancel")}
          </button>
        </span>
      </span>
    );
  return (
    <>
      <button
        type="button"
        aria-label={`${say("losses.show")}: ${id}`}
        onClick={() => {
          asking.value = true;
        }}
      >
        {say("losses.show")}
      </button>
      {failure.value && <span class="failed">{failure.value}</span>}
    </>
  );
}
