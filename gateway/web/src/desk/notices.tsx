import { useSignal } from "@preact/signals";
import { ago, may, notices, post, say, tree, words_for, type Node, type Notice } from "./model";
import { gateName, Table, time } from "./parts";

const hour = 3_600_000;

/** A moment as the field of a form has it: local, to the minute. */
function field(at: number): string {
  const d = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return d.toISOString().slice(0, 16);
}

const gatesOf = (n: Node): string[] => [...(n.gates ?? []), ...(n.under ?? []).flatMap(gatesOf)];

/** Which gates a notice is for. */
function where(n: Notice): string {
  if (n.gate) return gateName(n.gate) === n.gate ? n.gate : `${gateName(n.gate)} · ${n.gate}`;
  return tree.value?.under?.find((c) => c.id === n.community)?.name ?? n.community ?? say("notice.all");
}

/** The gates to choose from; a value is "", c:<community> or g:<gate>. */
function Scope({ value, set }: { value: string; set: (v: string) => void }) {
  return (
    <label>
      {say("notice.where")}
      <select
        value={value}
        onInput={(e) => {
          set(e.currentTarget.value);
        }}
      >
        <option value="">{say("notice.all")}</option>
        {tree.value?.under?.map((c) => (
          <optgroup key={c.id} label={c.name}>
            <option value={`c:${c.id}`}>{say("notice.community", { name: c.name })}</option>
            {gatesOf(c).map((g) => (
              <option key={g} value={`g:${g}`}>
                {gateName(g)} · {g}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function Write() {
  const zh = useSignal("");
  const en = useSignal("");
  const until = useSignal(field(Date.now() + 24 * hour));
  const scope = useSignal("");
  const failure = useSignal("");
  const send = async (e: Event) => {
    e.preventDefault();
    failure.value = "";
    const [kind, id] = [scope.value.slice(0, 1), scope.value.slice(2)];
    try {
      await post("/api/notice", {
        zh: zh.value,
        en: en.value,
        until: new Date(until.value).toISOString(),
        ...(kind === "c" && { community: id }),
        ...(kind === "g" && { gate: id }),
      });
      zh.value = en.value = "";
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  const text = (word: string, of: { value: string }, required: boolean) => (
    <label class="text">
      {say(word)}
      <input
        type="text"
        maxLength={200}
        required={required}
        value={of.value}
        onInput={(e) => {
          of.value = e.currentTarget.value;
        }}
      />
    </label>
  );
  return (
    <form
      class="notice"
      onSubmit={(e) => {
        void send(e);
      }}
    >
      {text("notice.zh", zh, true)}
      {text("notice.en", en, false)}
      <Scope
        value={scope.value}
        set={(v) => {
          scope.value = v;
        }}
      />
      <label>
        {say("notice.until")}
        <input
          type="datetime-local"
          required
          value={until.value}
          onInput={(e) => {
            until.value = e.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="main">
        {say("notice.write")}
      </button>
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
    </form>
  );
}

/** The county's notices that are in force, and a form for another one. */
export function NoticesPage() {
  const failure = useSignal("");
  const list = notices.value;
  const end = async (n: Notice) => {
    failure.value = "";
    try {
      await post("/api/notice", { remove: n.id });
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  return (
    <>
      {may("notices") && (
        <section>
          <h2>{say("notice.new")}</h2>
          <p>{say("notice.text")}</p>
          <Write />
        </section>
      )}
      <section>
        <h2>{say("notice.list")}</h2>
        {failure.value && (
          <p class="failed" role="alert">
            {failure.value}
          </p>
        )}
        {list === null || list.length === 0 ? (
          <p class="empty">{say("notice.none")}</p>
        ) : (
          <Table
            caption={say("notice.list")}
            head={["notice.what", "notice.where", "notice.until", "notice.by", ...(may("notices") ? ["col.do"] : [])]}
            rows={list.map((n) => [
              <>
                {n.zh}
                {n.en && (
                  <>
                    <br />
                    <span lang="en">{n.en}</span>
                  </>
                )}
              </>,
              where(n),
              <time dateTime={n.until}>{time(n.until)}</time>,
              `${n.by} · ${ago(n.written)}`,
              ...(may("notices")
                ? [
                    <button
                      type="button"
                      aria-label={`${say("notice.end")}: ${n.zh}`}
                      onClick={() => {
                        void end(n);
                      }}
                    >
                      {say("notice.end")}
                    </button>,
                  ]
                : []),
            ])}
          />
        )}
      </section>
    </>
  );
}
