// Why a passage was decided as it was, in a dialog over the page.
import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { say } from "./model";
import { gateName, time, useData, verdict, Waiting } from "./parts";
import type { Explained, RecordName, Sentence } from "./types";

/** The passage that is explained. */
const shown = signal<RecordName | null>(null);

/** The text of a sentence. */
function text(s: Sentence): string {
  const words = Object.entries(s.words ?? {}).map(([name, code]) => [name, say(code)]);
  return say(s.code, { ...s.with, ...(Object.fromEntries(words) as Record<string, string>) });
}

/** A verdict, if one is given, that says why when it is pressed. */
export function Why({ of, what }: { of: RecordName; what?: string }) {
  return (
    <button
      type="button"
      class="verdictbutton"
      aria-label={what && `${say("explain.title")}: ${say(`verdict.${what}`)}`}
      onClick={() => {
        shown.value = { journal: of.journal, seq: of.seq };
      }}
    >
      {what ? verdict(what) : say("explain.title")}
    </button>
  );
}

function Part({ name, of }: { name: string; of: Sentence[] }) {
  const list = of.filter((s) => s.part === name);
  if (list.length === 0) return null;
  return (
    <>
      <h3>{say(`explain.part.${name}`)}</h3>
      <ul class={`part ${name}`}>
        {list.map((s) => (
          <li key={s.code}>{text(s)}</li>
        ))}
      </ul>
    </>
  );
}

function Explanation({ of }: { of: RecordName }) {
  const data = useData<Explained>(`/api/passage?journal=${encodeURIComponent(of.journal)}&seq=${of.seq}`, 600);
  const x = data.data;
  if (!x) return <Waiting of={data} />;
  return (
    <>
      <p class="what">
        {verdict(x.verdict)} {gateName(x.agent)} · {time(x.at)}
      </p>
      {["because", "pass", "inputs", "record"].map((part) => (
        <Part key={part} name={part} of={x.sentences} />
      ))}
      <p class="record">
        {x.journal}/{x.seq}
      </p>
    </>
  );
}

export function ExplainDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const of = shown.value;
  useEffect(() => {
    if (of && !dialog.current?.open) dialog.current?.showModal();
    if (!of) dialog.current?.close();
  }, [of]);
  const close = () => {
    shown.value = null;
  };
  return (
    <dialog ref={dialog} class="explain" aria-labelledby="explaintitle" onCancel={close}>
      {of && (
        <>
          <h2 id="explaintitle">{say("explain.title")}</h2>
          <Explanation of={of} />
          <div class="row">
            <button type="button" class="main" onClick={close}>
              {say("explain.close")}
            </button>
          </div>
        </>
      )}
    </dialog>
  );
}
