// What somebody at the desk has a gate do, and what became of it.
import { useSignal } from "@preact/signals";
import { OwnPassword } from "./confirm";
import { FormDialog } from "./dialog";
import { confirmed, may, post, provided, say } from "./model";
import { Moment, Shape, Table, useData, Waiting } from "./parts";

interface Command {
  id: string;
  action: string;
  lane: string;
  zh: string;
  en: string;
  reason: string;
  by: string;
  asked: string;
  state: "asked" | "undelivered" | "sent" | "unknown" | "done" | "refused";
  why?: string;
  detail?: string;
}

const heads = ["col.time", "command.what", "command.reason", "command.by", "command.outcome"];
const marks = { asked: "never", sent: "never", done: "ok", refused: "amber", undelivered: "amber", unknown: "silent" };

/** What a command is, with its lane or its text. */
const what = (c: Command) => [say(`command.${c.action}`), c.lane, c.zh].filter(Boolean).join(" · ");

function Outcome({ of }: { of: Command }) {
  const wrong = of.state === "unknown" || of.state === "refused" || of.state === "undelivered";
  return (
    <span class={wrong ? "failed" : ""}>
      <Shape of={marks[of.state]} />
      {say(`command.state.${of.state}`)}
      {of.why && <>: {say(`command.why.${of.why}`)}</>}
      {of.detail && <small lang="en"> {of.detail}</small>}
    </span>
  );
}

/** The commands for a gate: what can be commanded, and what became of the last ones. */
export function Commands({ agent }: { agent: string }) {
  const asks = useSignal("");
  const data = useData<Command[]>(`/api/commands?agent=${encodeURIComponent(agent)}`, 2);
  const actions = ["open", "notice", "reload", "restart"].filter((a) => may(a === "open" ? "open" : "command"));
  return (
    <section id="commands">
      <h2>{say("command.title")}</h2>
      <div class="row">
        {actions.map((a) => (
          <button
            key={a}
            type="button"
            onClick={() => {
              asks.value = a;
            }}
          >
            {say(`command.${a}`)}…
          </button>
        ))}
      </div>
      <Ask
        agent={agent}
        action={asks.value}
        close={() => {
          asks.value = "";
          data.again();
        }}
      />
      <Waiting of={data} />
      {data.data &&
        (data.data.length === 0 ? (
          <p class="empty">{say("command.none")}</p>
        ) : (
          <Table
            caption={say("command.title")}
            head={heads}
            rows={data.data.map((c) => [<Moment at={c.asked} />, what(c), c.reason, c.by, <Outcome of={c} />])}
          />
        ))}
    </section>
  );
}

/** Asks why, and for a barrier the password. */
function Ask({ agent, action, close }: { agent: string; action: string; close: () => void }) {
  const fields = useSignal<Record<string, string>>({});
  const field = (name: string, label: string, required: boolean, most: number) => (
    <label class="text">
      {say(label)}
      <input
        name={name}
        type="text"
        maxLength={most}
        required={required}
        value={fields.value[name] ?? ""}
        onInput={(e) => {
          fields.value = { ...fields.value, [name]: e.currentTarget.value };
        }}
      />
    </label>
  );
  const opens = action === "open";
  return (
    <FormDialog
      id="commandtitle"
      open={action !== ""}
      title={action && say("command.ask", { what: say(`command.${action}`), gate: agent })}
      go={say("command.go")}
      ready={!opens || !provided.value || confirmed.value}
      send={async () => {
        await post(opens ? "/api/open" : "/api/command", { agent, action, ...fields.value });
        if (opens) confirmed.value = false; // it counts for one act
      }}
      close={() => {
        fields.value = {};
        close();
      }}
    >
      {action && <p>{say(`command.text.${action}`)}</p>}
      {field("reason", "command.reason.field", true, 100)}
      {action === "notice" && field("zh", "notice.zh", true, 200)}
      {action === "notice" && field("en", "notice.en", false, 200)}
      {opens && field("lane", "command.lane", false, 100)}
      {opens && (
        <OwnPassword
          value={fields.value.password ?? ""}
          set={(password) => {
            fields.value = { ...fields.value, password };
          }}
        />
      )}
    </FormDialog>
  );
}
