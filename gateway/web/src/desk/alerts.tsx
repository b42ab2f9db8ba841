import { signal } from "@preact/signals";
import { FormDialog } from "./dialog";
import { alerts, may, post, say, type Alert } from "./model";
import { Why } from "./explain";
import { AnswerCall, callState } from "./calls";
import { alertState, celsius, Detail, Help, Moment, Place, placeName, Shape, Table, useData, Waiting } from "./parts";

/** The alert whose form is open, and the text in it; both survive a login. */
export const open = signal<Alert | null>(null);
const note = signal("");

export function AckForm() {
  const a = open.value;
  return (
    <FormDialog
      id="acktitle"
      open={a !== null}
      title={say("alert.ack.title")}
      go={say("alert.ack")}
      send={async () => {
        if (a) await post("/api/acknowledge", { id: a.id, note: note.value });
      }}
      close={() => {
        open.value = null;
        note.value = "";
      }}
    >
      {a && (
        <p>
          {placeName(a)} · {say(`alert.${a.type}`)} {a.screening_c !== undefined && celsius(a.screening_c)}
        </p>
      )}
      <label>
        {say("alert.note")}
        <textarea
          rows={3}
          maxLength={500}
          value={note.value}
          onInput={(e) => {
            note.value = e.currentTarget.value;
          }}
        />
      </label>
    </FormDialog>
  );
}

export function AlertList({ most }: { most: number }) {
  const list = alerts.value;
  if (list.length === 0) return <p class="empty">{say("alerts.none")}</p>;
  return (
    <>
      <ul class="alerts">
        {list.slice(0, most).map((a) => (
          <li key={a.id} class={`${a.level}${a.acked ? " seen" : ""}`}>
            <Shape of={a.level} />
            <div class="what">
              <b>
                {say(`alert.${a.type}`)}
                {a.screening_c !== undefined && ` ${celsius(a.screening_c)}`}
              </b>{" "}
              <Place of={a} /> {a.passage && may("passages") && <Why of={a.passage} />}
              <small>
                <Moment at={a.at} />
                {alertState(a) && ` · ${alertState(a)}`}
                {a.device && ` · ${a.device}`}
              </small>
              {a.call && <small class="note">{callState(a)}</small>}
              {a.detail && (
                <small>
                  <Detail of={a} />
                </small>
              )}
              {a.note && <small class="note">{a.note}</small>}
              <small>
                <Help kind={a.type} about={say(`alert.${a.type}`)} />
              </small>
              {a.call && !a.cleared && may("calls") && <AnswerCall of={a} />}
            </div>
            {!a.acked && (may("alerts") || (a.run && may("run-alerts"))) && (
              <button
                type="button"
                aria-label={`${say("alert.ack")}: ${say(`alert.${a.type}`)} ${placeName(a)}`}
                onClick={() => {
                  open.value = a;
                }}
              >
                {say("alert.ack")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {list.length > most && <p class="empty">{say("alert.more", { n: list.length - most })}</p>}
    </>
  );
}

export function alertRows(list: Alert[]) {
  return list.map((a) => [
    <Moment at={a.at} />,
    <Place of={a} />,
    <span class={`type ${a.level}`}>
      <Shape of={a.level} />
      {say(`alert.${a.type}`)} <Help kind={a.type} about={say(`alert.${a.type}`)} />
    </span>,
    <>
      {a.screening_c === undefined ? a.device || "–" : celsius(a.screening_c)}{" "}
      {a.passage && may("passages") && <Why of={a.passage} />}
    </>,
    <span class="state">{alertState(a)}</span>,
    <>
      {a.note}
      {a.note && a.detail && " · "}
      <Detail of={a} />
    </>,
  ]);
}

export const alertHead = ["col.time", "col.gate", "col.type", "col.value", "alert.state", "col.reason"];

export function AlertsPage() {
  const all = useData<Alert[]>("/api/alerts", 15);
  return (
    <>
      <section>
        <h2>{say("alerts.open")}</h2>
        <AlertList most={300} />
      </section>
      <section>
        <h2>{say("alerts.history")}</h2>
        <Waiting of={all} />
        {all.data &&
          (all.data.length === 0 ? (
            <p class="empty">{say("alerts.none")}</p>
          ) : (
            <Table caption={say("alerts.history")} head={alertHead} rows={alertRows(all.data)} />
          ))}
      </section>
    </>
  );
}
