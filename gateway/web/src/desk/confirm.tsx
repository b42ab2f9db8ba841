// What asks for the password again before an act that gives somebody access.
import { useEffect, useRef } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import { say, user, words_for } from "./model";

export const roles = ["viewer", "duty", "crew", "policy", "admin", "auditor"];

/** An act for which the administrator's own password is asked again. */
const asked = signal<{ what: string; act: (password: string) => Promise<void> } | null>(null);

/** Asks for the password, and does the act with it. */
export function confirm(what: string, act: (password: string) => Promise<void>): void {
  asked.value = { what, act };
}

export function ConfirmDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const password = useSignal("");
  const failure = useSignal("");
  const of = asked.value;
  useEffect(() => {
    if (of && !dialog.current?.open) dialog.current?.showModal();
    if (!of) dialog.current?.close();
  }, [of]);
  const close = () => {
    asked.value = null;
    password.value = failure.value = "";
  };
  const send = async (e: Event) => {
    e.preventDefault();
    failure.value = "";
    try {
      await of?.act(password.value);
      close();
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="confirmtitle" onCancel={close}>
      {of && (
        <form onSubmit={(e) => void send(e)}>
          <h2 id="confirmtitle">{say("confirm.title")}</h2>
          <p>{of.what}</p>
          <input
            type="text"
            class="unseen"
            autocomplete="username"
            readOnly
            tabIndex={-1}
            value={user.value ?? ""}
            aria-hidden="true"
          />
          <label>
            {say("confirm.password")}
            <input
              type="password"
              autocomplete="current-password"
              required
              value={password.value}
              onInput={(e) => {
                password.value = e.currentTarget.value;
              }}
            />
          </label>
          {failure.value && (
            <p class="failed" role="alert">
              {failure.value}
            </p>
          )}
          <div class="row">
            <button type="submit" class="main">
              {say("confirm.go")}
            </button>
            <button type="button" onClick={close}>
              {say("alert.cancel")}
            </button>
          </div>
        </form>
      )}
    </dialog>
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
