import { useSignal } from "@preact/signals";
import { clock, post, say } from "./model";
import { Listed, useList } from "./listed";
import { Moment, time } from "./parts";
import { confirm, roles, RoleSelect } from "./confirm";
import type { Token } from "./types";

const day = 24 * 3_600_000;

function Make({ made }: { made: (token: string) => void }) {
  const name = useSignal("");
  const role = useSignal("viewer");
  const days = useSignal("90");
  const send = (e: Event) => {
    e.preventDefault();
    const body = { name: name.value, role: role.value };
    const what = say("confirm.token", { name: name.value, role: say(`people.role.${role.value}`) });
    confirm(what, async (password) => {
      const until = new Date(clock.value + (Number(days.value) || 0) * day).toISOString();
      const r = await post("/api/token", { ...body, until, password });
      made(((await r.json()) as { token: string }).token);
      name.value = "";
    });
  };
  return (
    <form class="notice" onSubmit={send}>
      <label>
        {say("tokens.name")}
        <input
          type="text"
          maxLength={32}
          required
          value={name.value}
          onInput={(e) => {
            name.value = e.currentTarget.value;
          }}
        />
      </label>
      <label>
        {say("col.role")}
        <RoleSelect
          label={say("col.role")}
          of={roles.filter((r) => r !== "admin")}
          value={role.value}
          set={(r) => {
            role.value = r;
          }}
        />
      </label>
      <label>
        {say("tokens.days")}
        <input
          type="number"
          min={1}
          max={366}
          required
          value={days.value}
          onInput={(e) => {
            days.value = e.currentTarget.value;
          }}
        />
      </label>
      <button type="submit" class="main">
        {say("tokens.make")}
      </button>
    </form>
  );
}

/** The tokens with which programs ask the desk. */
export function Tokens() {
  const data = useList<Token>("/api/tokens", 15);
  const made = useSignal("");
  return (
    <section>
      <h2>{say("tokens.title")}</h2>
      <p>{say("tokens.text")}</p>
      <Listed
        of={data}
        caption={say("tokens.title")}
        none={say("tokens.none")}
        head={["col.token", "col.role", "col.valid", "col.seen", "col.do"]}
        row={(t) => [
          <>
            {t.name} <small class="empty">{say("tokens.by", { name: t.made_by ?? say("tokens.terminal") })}</small>
          </>,
          say(`people.role.${t.role}`),
          Date.parse(t.until) <= clock.value ? (
            <span class="failed">{say("tokens.ended")}</span>
          ) : (
            <time dateTime={t.until}>{time(t.until)}</time>
          ),
          t.used ? (
            <>
              <Moment at={t.used} /> {t.from}
            </>
          ) : (
            say("users.never")
          ),
          <button
            type="button"
            aria-label={`${say("tokens.revoke")}: ${t.name}`}
            onClick={() => void data.act("/api/token/revoke", { name: t.name })}
          >
            {say("tokens.revoke")}
          </button>,
        ]}
      />
      <Make
        made={(token) => {
          made.value = token;
          data.again();
        }}
      />
      {made.value && (
        <p role="status">
          {say("tokens.once")}
          <br />
          <code class="link">{made.value}</code>
        </p>
      )}
    </section>
  );
}
