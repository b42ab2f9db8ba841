// A list of the server, with what can be done to its rows.
import type { ComponentChildren } from "preact";
import { useSignal, type Signal } from "@preact/signals";
import { post, words_for } from "./model";
import { Table, useData, Waiting, type Loaded } from "./parts";

export interface Acted<T> extends Loaded<T> {
  failure: Signal<string>;
  /** Posts what is done to a row, and reads the list again; what went wrong is shown above it. */
  act: (url: string, body: object) => Promise<void>;
}

/** Reads a list as useData does. */
export function useList<T>(url: string, seconds: number): Acted<T[]> {
  const data = useData<T[]>(url, seconds);
  const failure = useSignal("");
  const act = async (to: string, body: object) => {
    failure.value = "";
    try {
      await post(to, body);
      data.again();
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  return { ...data, failure, act };
}

/** Shows a list: that it loads, could not be read or changed, is empty, or its rows. */
export function Listed<T>({
  of,
  caption,
  none,
  head,
  row,
}: {
  of: Acted<T[]>;
  caption: string;
  none: string;
  head: string[];
  row: (of: T) => ComponentChildren[];
}) {
  return (
    <>
      <Waiting of={of} />
      {of.failure.value && (
        <p class="failed" role="alert">
          {of.failure.value}
        </p>
      )}
      {of.data &&
        (of.data.length === 0 ? (
          <p class="empty">{none}</p>
        ) : (
          <Table caption={caption} head={head} rows={of.data.map(row)} />
        ))}
    </>
  );
}
