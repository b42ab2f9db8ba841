import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, busy, goTo, look, mends, say, steps, view, refusal, type Fault, type Planned, type View } from "./model";
import { Wrong } from "./parts";

interface Plan {
  faults: Fault[];
  files: Planned[];
}

/** What would be written, and what stands against it. */
export function CheckStep() {
  const plan = useSignal<Plan | null>(null);
  const failure = useSignal("");
  const load = async () => {
    plan.value = null;
    failure.value = "";
    try {
      plan.value = (await ask<Plan>("POST", "plan")) ?? null;
    } catch (e) {
      failure.value = refusal(e);
    }
  };
  useEffect(() => {
    scrollTo(0, 0);
    void load();
  }, []);
  const write = async () => {
    busy.value = true;
    try {
      await ask("POST", "write");
      await look();
      if (view.value?.phase === "asking") {
        scrollTo(0, 0); // it was not written: why stands at the top
        await load();
      }
    } catch (e) {
      failure.value = refusal(e);
    }
    busy.value = false;
  };
  const p = plan.value;
  const after = view.value?.after;
  const trouble = view.value?.trouble;
  return (
    <>
      {trouble && (
        <p class="failed" role="alert">
          {say("failed")} <span class="said">{trouble}</span>
        </p>
      )}
      {failure.value && (
        <p class="failed" role="alert">
          {say(failure.value)}
        </p>
      )}
      {!p && !failure.value && <p role="status">{say("check.looking")}</p>}
      {p && p.faults.length > 0 && (
        <>
          <h3>{say("check.wrong")}</h3>
          {p.faults.map((f, i) => {
            const at = steps.find((s) => mends[s].includes(f.key));
            return (
              <div key={i} class="row">
                <div>
                  <Wrong of={[f]} />
                </div>
                {at && (
                  <button type="button" onClick={() => void goTo(at)}>
                    {say("check.goto")}
                  </button>
                )}
              </div>
            );
          })}
        </>
      )}
      {((p && p.faults.length > 0) || failure.value) && (
        <button type="button" class="again" onClick={() => void load()}>
          {say("check.again")}
        </button>
      )}
      {p && p.faults.length === 0 && (
        <>
          <h3>{say("check.files")}</h3>
          <ul class="files">
            {p.files.map((f) => (
              <li key={f.path}>
                {f.text ? (
                  <details open={f.path.endsWith("collect.yaml")}>
                    <summary>
                      <code>{f.path}</code>
                    </summary>
                    <pre tabIndex={0} lang="en">
                      {f.text}
                    </pre>
                  </details>
                ) : (
                  <code>{f.path}</code>
                )}
                {f.secret && <small> {say("check.secret")}</small>}
                {f.there && <small> {say("check.there")}</small>}
              </li>
            ))}
          </ul>
          <p>
            {say(after?.starts ? "check.after.starts" : "check.after.typed")}{" "}
            {!after?.starts && <code class="command">{after?.command}</code>}
          </p>
          <button type="button" class="main write" disabled={busy.value} onClick={() => void write()}>
            {say(after?.starts ? "check.write.start" : "check.write")}
          </button>
        </>
      )}
    </>
  );
}

/** The certificate that browsers have to trust. */
function Trust({ text }: { text: string }) {
  const url = useSignal("");
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type: "application/x-x509-ca-cert" }));
    url.value = made;
    return () => {
      URL.revokeObjectURL(made);
    };
  }, [text]);
  return (
    <p>
      {say("done.trust")}{" "}
      <a class="trust" href={url.value} download="gatehouse-ca.crt">
        {say("done.trust.get")}
      </a>
    </p>
  );
}

function Written({ of }: { of: View }) {
  return (
    <details>
      <summary>{say("done.files")}</summary>
      <ul class="files">
        {(of.written ?? []).map((w) => (
          <li key={w.path}>
            <code>{w.path}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** From the first file that is written on: how it goes, and what is left to do. */
export function End({ of }: { of: View }) {
  const { after } = of;
  if (of.phase === "writing" || of.phase === "starting")
    return (
      <section class="end" role="status">
        <h2>{say(of.phase)}</h2>
      </section>
    );
  if (of.phase === "failed")
    return (
      <section class="end" role="alert">
        <h2 class="failed">{say("broken")}</h2>
        <p class="said" lang="en">
          {of.trouble}
        </p>
        <p>{say("broken.what")}</p>
        <pre tabIndex={0}>{`journalctl -u gatehouse-collect -e\n${after.command ?? ""}`}</pre>
        <Written of={of} />
      </section>
    );
  return (
    <section class="end" role="status">
      <h2>{say(after.link ? "done" : "done.typed")}</h2>
      {!after.link && (
        <>
          <p>{say("done.type")}</p>
          <pre tabIndex={0}>{after.command}</pre>
          <p>{say("done.then")}</p>
          <pre tabIndex={0}>{`sudo cat ${after.linkFile ?? ""}`}</pre>
        </>
      )}
      {after.trust && <Trust text={after.trust} />}
      {after.link && (
        <>
          <p>{say("done.user")}</p>
          <a class="go" href={after.link}>
            {say("done.go")}
          </a>
          <p>
            <small>{say("done.link", { file: after.linkFile ?? "" })}</small>
          </p>
        </>
      )}
      <Written of={of} />
    </section>
  );
}
