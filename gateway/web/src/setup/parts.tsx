import type { ComponentChildren } from "preact";
import { has, say, type Fault } from "./model";

/** A field with its name and what to write. */
export function Field(of: {
  label: string;
  hint?: string;
  name: string;
  value: string;
  secret?: boolean;
  list?: string[];
  place?: string;
  set: (value: string) => void;
}) {
  const same = {
    name: of.name,
    value: of.value,
    placeholder: of.place,
    autocomplete: "off",
    maxLength: 500,
    onInput: (e: { currentTarget: HTMLInputElement }) => {
      of.set(e.currentTarget.value);
    },
  };
  return (
    <label>
      <b>{of.label}</b>
      {of.secret ? (
        <input type="password" {...same} />
      ) : (
        <input type="text" spellcheck={false} list={of.list ? `${of.name}-list` : ""} {...same} />
      )}
      {of.list && (
        <datalist id={`${of.name}-list`}>
          {of.list.map((x) => (
            <option key={x} value={x} />
          ))}
        </datalist>
      )}
      {of.hint && <small>{of.hint}</small>}
    </label>
  );
}

/** One of several choices. */
export function Choice(of: {
  name: string;
  label: string;
  on: boolean;
  choose: () => void;
  children?: ComponentChildren;
}) {
  return (
    <div class={`choice ${of.on ? "on" : ""}`}>
      <label>
        <input type="radio" name={of.name} checked={of.on} onChange={of.choose} />
        <span>{of.label}</span>
      </label>
      {of.on && of.children}
    </div>
  );
}

/** What is wrong, in words, and for engineers what the program says. */
export function Wrong({ of }: { of: Fault[] }) {
  return (
    <>
      {of.map((f) => {
        const key = [`fault.${f.key}`, f.key].find(has);
        return (
          <p key={f.key} class="failed" role="alert">
            {key && say(key)}{" "}
            <span class="said" lang="en">
              {f.text}
            </span>
          </p>
        );
      })}
    </>
  );
}
