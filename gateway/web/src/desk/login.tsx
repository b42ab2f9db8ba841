import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { address, expired, failedCode, get, path, post, say, whoami, words_for } from "./model";

/** The button that leads to the provider of identities, if the county has one. */
function ByProvider() {
  const name = useSignal("");
  useEffect(() => {
    get<{ provider?: string }>("/api/ways").then(
      (ways) => {
        name.value = ways.provider ?? "";
      },
      () => {
        // There is the password.
      },
    );
  }, []);
  const failed = failedCode();
  if (!name.value && !failed) return null;
  return (
    <>
      {failed && (
        <p class="failed" role="alert">
          {say(`error.${failed}`)}
        </p>
      )}
      {name.value && (
        <a class="provider" href={address("/api/oidc/begin")}>
          {say("login.provider", { name: name.value })}
        </a>
      )}
    </>
  );
}

/** Asks who somebody is; with setup, the name and password that somebody wants to have. */
export function Credentials({ setup }: { setup: boolean }) {
  const name = useSignal("");
  const password = useSignal("");
  const failure = useSignal("");
  const busy = useSignal(false);
  const invited = useSignal<{ role: string; user?: string } | null>(null);
  useEffect(() => {
    if (!setup) return;
    post("/api/invited", { token: location.hash.slice(1) })
      .then((r) => r.json())
      .then(
        (what: { role: string; user?: string }) => {
          invited.value = what;
          name.value = what.user ?? "";
        },
        (e: unknown) => {
          failure.value = words_for(e);
        },
      );
  }, [setup]);
  const of = invited.value?.user;
  const send = async (e: Event) => {
    e.preventDefault();
    busy.value = true;
    failure.value = "";
    try {
      await post(setup ? "/api/setup" : "/api/login", {
        token: setup ? location.hash.slice(1) : "",
        name: name.value,
        password: password.value,
      });
      if (setup) {
        await post("/api/login", { token: "", name: name.value, password: password.value });
        history.replaceState(null, "", address("/"));
        path.value = "/";
      }
      await whoami();
    } catch (err) {
      failure.value = words_for(err);
    }
    busy.value = false;
  };
  const kind = setup ? "setup" : "login";
  return (
    <form
      class="login"
      onSubmit={(e) => {
        void send(e);
      }}
    >
      <h2>{say(`${kind}.title`)}</h2>
      {setup && <p>{of ? say("setup.reset", { name: of }) : say("setup.text")}</p>}
      {invited.value?.role && (
        <p>
          {say("setup.role", {
            role: say(`people.role.${invited.value.role}`),
            may: say(`people.may.${invited.value.role}`),
          })}
        </p>
      )}
      {expired.value && <p role="status">{say("login.again")}</p>}
      {!setup && <ByProvider />}
      <label>
        {say("login.name")}
        <input
          name="name"
          autocomplete="username"
          required
          maxLength={32}
          readOnly={!!of}
          value={name.value}
          onInput={(e) => {
            name.value = e.currentTarget.value;
          }}
        />
      </label>
      <label>
        {say("login.password")}
        <input
          name="password"
          type="password"
          autocomplete={setup ? "new-password" : "current-password"}
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
      <button type="submit" class="main" disabled={busy.value}>
        {say(of ? "setup.reset.go" : `${kind}.go`)}
      </button>
    </form>
  );
}

/** Asks for a login in front of the page, which keeps what was being written. */
export function LoginAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-label={say("login.title")}
      onCancel={(e) => {
        e.preventDefault();
      }}
    >
      <Credentials setup={false} />
    </dialog>
  );
}
