// A form in front of the page.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { say, words_for } from "./model";

/** A form that is open while there is something to ask; send ends well, or its error is shown and the form stays. */
export function FormDialog({
  id,
  open,
  title,
  go,
  ready = true,
  send,
  close,
  children,
}: {
  id: string;
  open: boolean;
  title: string;
  go: string;
  ready?: boolean;
  send: () => Promise<void>;
  close: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const failure = useSignal("");
  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  const leave = () => {
    failure.value = "";
    close();
  };
  const submit = async (e: Event) => {
    e.preventDefault();
    failure.value = "";
    try {
      await send();
      leave();
    } catch (err) {
      failure.value = words_for(err);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={id} onCancel={leave}>
      {open && (
        <form onSubmit={(e) => void submit(e)}>
          <h2 id={id}>{title}</h2>
          {children}
          {failure.value && (
            <p class="failed" role="alert">
              {failure.value}
            </p>
          )}
          <div class="row">
            <button type="submit" class="main" disabled={!ready}>
              {go}
            </button>
            <button type="button" onClick={leave}>
              {say("alert.cancel")}
            </button>
          </div>
        </form>
      )}
    </dialog>
  );
}
