// The account of whoever is logged in, and lists of sessions.
import { useSignal } from "@preact/signals";
import { OwnName } from "./confirm";
import { post, provided, role, say, user, words_for } from "./model";
import { Listed, useList } from "./listed";
import { Moment } from "./parts";
import type { Session } from "./types";

/** The name of a browser and its system, as far as they are known. */
function browser(names: string): string {
  const one = (of: [RegExp, string][]) => of.find(([re]) => re.test(names))?.[1];
  const program = one([
    [/MicroMessenger/, "WeChat"],
    [/Edg\//, "Edge"],
    [/Firefox\//, "Firefox"],
    [/QQBrowser/, "QQ"],
    [/Chrome\//, "Chrome"],
    [/Safari\//, "Safari"],
  ]);
  const system = one([
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/Mac OS/, "macOS"],
    [/Linux/, "Linux"],
  ]);
  return [program, system].filter(Boolean).join(" · ") || names.slice(0, 40) || "–";
}

/** The sessions of a user, or of whoever is logged in. */
export function Sessions({ of, close }: { of?: string; close?: () => void }) {
  const data = useList<Session>(of ? `/api/users/sessions?name=${encodeURIComponent(of)}` : "/api/sessions", 15);
  const end = (id: string) =>
    of ? data.act("/api/users/sessions/end", { name: of, id }) : data.act("/api/sessions/end", { id });
  const title = of ? say("users.sessions.of", { name: of }) : say("account.sessions");
  return (
    <section>
      <header>
        <h2>{title}</h2>
        <span class="row">
          <button type="button" onClick={() => void end("")}>
            {say(of ? "session.all" : "account.others")}
          </button>
          {close && (
            <button type="button" onClick={close}>
              {say("users.close")}
            </button>
          )}
        </span>
      </header>
      <Listed
        of={data}
        caption={title}
        none={say("session.none")}
        head={["col.browser", "col.address", "col.began", "col.seen", "col.do"]}
        row={(s) => [
          <span title={s.browser}>{browser(s.browser)}</span>,
          s.from || "–",
          <Moment at={s.began} />,
          <Moment at={s.seen} />,
          s.own ? (
            say("session.own")
          ) : (
            <button
              type="button"
              aria-label={`${say("session.end")}: ${browser(s.browser)} ${s.from}`}
              onClick={() => void end(s.id)}
            >
              {say("session.end")}
            </button>
          ),
        ]}
      />
    </section>
  );
}

function Password() {
  const was = useSignal("");
  const password = useSignal("");
  const failure = useSignal("");
  const changed = useSignal(false);
  const send = async (e: Event) => {
    e.preventDefault();
    failure.value = "";
    changed.value = false;
    try {
      await post("/api/password", { was: was.value, password: password.value });
      was.value = password.value = "";
      changed.value = true;
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  const field = (word: string, of: { value: string }, complete: "current-password" | "new-password") => (
    <label>
      {say(word)}
      <input
        type="password"
        autocomplete={complete}
        required
        value={of.value}
        onInput={(e) => {
          of.value = e.currentTarget.value;
        }}
      />
    </label>
  );
  return (
    <form class="narrow" onSubmit={(e) => void send(e)}>
      <OwnName />
      {field("account.was", was, "current-password")}
      {field("account.new", password, "new-password")}
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {changed.value && <p role="status">{say("account.changed")}</p>}
      <button type="submit" class="main">
        {say("account.password")}
      </button>
    </form>
  );
}

export function AccountPage() {
  return (
    <>
      <section>
        <h2>
          {say("account.title")} · {user.value}
        </h2>
        {role.value && (
          <p>{say("account.role", { role: say(`people.role.${role.value}`), may: say(`people.may.${role.value}`) })}</p>
        )}
        {provided.value ? (
          <p>{say("account.provided")}</p>
        ) : (
          <>
            <h3>{say("account.password")}</h3>
            <Password />
          </>
        )}
      </section>
      <Sessions />
    </>
  );
}
