import { useSignal } from "@preact/signals";
import { address, post, say, words_for } from "./model";
import { Moment, Table, useData, Waiting } from "./parts";
import { Sessions } from "./account";
import { confirm, roles, RoleSelect } from "./confirm";
import { Invites } from "./invites";
import { Tokens } from "./tokens";
import type { User } from "./types";

/** A link that was made, for whom. */
interface Made {
  text: string;
  link: string;
}

async function link(url: string, body: object, text: string): Promise<Made> {
  const { path } = (await (await post(url, body)).json()) as { path: string };
  return { text, link: address(path) };
}

function Invite({ made }: { made: (m: Made) => void }) {
  const role = useSignal("duty");
  return (
    <form
      class="row"
      onSubmit={(e) => {
        e.preventDefault();
        const chosen = role.value;
        confirm(say("confirm.invite", { role: say(`people.role.${chosen}`) }), async (password) => {
          made(await link("/api/invite", { role: chosen, password }, say("users.link")));
        });
      }}
    >
      <RoleSelect
        label={say("col.role")}
        of={roles}
        value={role.value}
        set={(r) => {
          role.value = r;
        }}
      />
      <button type="submit" class="main">
        {say("users.invite")}
      </button>
      <span class="empty">{say(`people.may.${role.value}`)}</span>
    </form>
  );
}

export function UsersPage() {
  const data = useData<User[]>("/api/users", 15);
  const made = useSignal<Made | null>(null);
  const failure = useSignal("");
  const open = useSignal(""); // the user whose sessions are listed
  const act = async (url: string, body: object) => {
    failure.value = "";
    await post(url, body);
    data.again();
  };
  const disable = async (name: string) => {
    try {
      await act("/api/users/disable", { name, disabled: true });
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const buttons = (u: User) => (
    <span class="row">
      <button
        type="button"
        aria-label={`${say("users.sessions")}: ${u.name}`}
        onClick={() => {
          open.value = open.value === u.name ? "" : u.name;
        }}
      >
        {say("users.sessions")}
      </button>
      {!u.disabled && !u.provided && (
        <button
          type="button"
          aria-label={`${say("users.reset")}: ${u.name}`}
          onClick={() => {
            confirm(say("confirm.reset", { name: u.name }), async (password) => {
              const text = say("users.reset.link", { name: u.name });
              made.value = await link("/api/users/reset", { name: u.name, password }, text);
            });
          }}
        >
          {say("users.reset")}
        </button>
      )}
      <button
        type="button"
        aria-label={`${say(u.disabled ? "users.enable" : "users.disable")}: ${u.name}`}
        onClick={() => {
          if (!u.disabled) void disable(u.name);
          else
            confirm(say("confirm.enable", { name: u.name }), (password) =>
              act("/api/users/disable", { name: u.name, disabled: false, password }),
            );
        }}
      >
        {say(u.disabled ? "users.enable" : "users.disable")}
      </button>
    </span>
  );
  return (
    <>
      <section>
        <h2>{say("nav.users")}</h2>
        <p>{say("users.text")}</p>
        <Waiting of={data} />
        {failure.value && (
          <p class="failed" role="alert">
            {failure.value}
          </p>
        )}
        {data.data && (
          <Table
            caption={say("nav.users")}
            head={["col.user", "col.role", "col.state", "col.entered", "col.do"]}
            rows={data.data.map((u) => [
              u.name,
              u.provided ? (
                say(`people.role.${u.role}`)
              ) : (
                <RoleSelect
                  label={`${say("col.role")}: ${u.name}`}
                  of={roles}
                  value={u.role}
                  set={(role) => {
                    confirm(say("confirm.role", { name: u.name, role: say(`people.role.${role}`) }), (password) =>
                      act("/api/users/role", { name: u.name, role, password }),
                    );
                  }}
                />
              ),
              <>
                {say(u.disabled ? "users.disabled" : "users.active")}
                {u.provided && <small class="empty"> {say("users.provided")}</small>}
              </>,
              u.entered ? <Moment at={u.entered} /> : say("users.never"),
              buttons(u),
            ])}
          />
        )}
        {open.value && <Sessions of={open.value} close={() => (open.value = "")} />}
        <h3>{say("users.new")}</h3>
        <Invite
          made={(m) => {
            made.value = m;
          }}
        />
        <Invites round={made.value?.link ?? ""} />
        {made.value && (
          <p role="status">
            {made.value.text}
            <br />
            <code class="link">{made.value.link}</code>
          </p>
        )}
      </section>
      <Tokens />
    </>
  );
}
