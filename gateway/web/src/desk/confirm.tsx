// What asks for the password again before an act that gives somebody access.
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { FormDialog } from "./dialog";
import { address, ask_user, confirmed, failedCode, provided, say, user } from "./model";

export const roles = ["viewer", "duty", "crew", "policy", "admin", "auditor"];

/** An act for which the administrator's own password is asked again. */
const asked = signal<{ what: string; act: (password: string) => Promise<void> } | null>(null);

/** Asks for the password, and does the act with it. */
export function confirm(what: string, act: (password: string) => Promise<void>): void {
  asked.value = { what, act };
}

export function ConfirmDialog() {
  const password = useSignal("");
  const of = asked.value;
  return (
    <FormDialog
      id="confirmtitle"
      open={of !== null}
      title={say(provided.value ? "confirm.provider" : "confirm.title")}
      go={say("confirm.go")}
      ready={!provided.value || confirmed.value}
      send={async () => {
        await of?.act(password.value);
        confirmed.value = false; // it counts for one act
      }}
      close={() => {
        asked.value = null;
        password.value = "";
      }}
    >
      <p>{of?.what}</p>
      <OwnPassword
        value={password.value}
        set={(v) => {
          password.value = v;
        }}
      />
    </FormDialog>
  );
}

/** Asks for the own password again; a user of the provider of identities confirms there. */
export function OwnPassword({ value, set }: { value: string; set: (v: string) => void }) {
  if (provided.value) return <AtProvider />;
  return (
    <>
      <OwnName />
      <label>
        {say("confirm.password")}
        <input
          type="password"
          autocomplete="current-password"
          required
          value={value}
          onInput={(e) => {
            set(e.currentTarget.value);
          }}
        />
      </label>
    </>
  );
}

/** Whose password is asked, for password managers. */
export function OwnName() {
  return (
    <input
      type="text"
      class="unseen"
      autocomplete="username"
      readOnly
      tabIndex={-1}
      value={user.value ?? ""}
      aria-hidden="true"
    />
  );
}

/** Leads a user of the provider of identities there, in another tab, and waits until that has confirmed. */
function AtProvider() {
  useEffect(() => {
    const timer = setInterval(() => void ask_user(), 2000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return (
    <>
      <p>
        <a href={address("/api/oidc/begin?confirm=1")} target="_blank" rel="noopener">
          {say("confirm.provider.open")}
        </a>
      </p>
      <p role="status">{say(confirmed.value ? "confirm.provider.done" : "confirm.provider.wait")}</p>
    </>
  );
}

/** What the tab says in which somebody has confirmed at the provider. */
export function ConfirmedPage() {
  const failed = failedCode();
  return (
    <section>
      <h2>{say("confirm.provider")}</h2>
      <p role="status" class={failed ? "failed" : ""}>
        {say(failed ? `error.${failed}` : "confirm.provider.close")}
      </p>
    </section>
  );
}

export function RoleSelect({
  value,
  set,
  label,
  of,
}: {
  value: string;
  set: (role: string) => void;
  label: string;
  of: string[];
}) {
  return (
    <select
      aria-label={label}
      value={value}
      onInput={(e) => {
        const chosen = e.currentTarget.value;
        e.currentTarget.value = value; // until it is so
        set(chosen);
      }}
    >
      {of.map((r) => (
        <option key={r} value={r} selected={r === value}>
          {say(`people.role.${r}`)}
        </option>
      ))}
    </select>
  );
}
