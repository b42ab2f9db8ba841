import { useSignal } from "@preact/signals";
import { ago, post, say, words_for, type Alert } from "./model";
import { time } from "./parts";

/** How far a guard's call has come, and since when the guard waits. */
export function callState(a: Alert): string {
  const c = a.call;
  if (!c) return "";
  const who = say(`role.${c.role}`);
  if (c.state === "answered" && c.answered) {
    const code = c.answer === "on-the-way" && !c.minutes ? "on-the-way.soon" : c.answer;
    return say(`call.${code}`, { who, n: c.minutes ?? 0, by: c.by ?? "–", time: time(c.answered) });
  }
  const again = c.again ? ` · ${say("call.again", { n: c.again })}` : "";
  return say(`call.${c.state}`, { who, ago: ago(c.waits) }) + again;
}

/** Answers a call; the guard sees it at the gate. */
export function AnswerCall({ of }: { of: Alert }) {
  const minutes = useSignal("10");
  const phone = useSignal("");
  const failure = useSignal("");
  const send = async (body: object) => {
    failure.value = "";
    try {
      await post("/api/answer", { id: of.id, ...body });
    } catch (e) {
      failure.value = words_for(e);
    }
  };
  const button = (word: string, body: () => object) => (
    <button type="button" onClick={() => void send(body())}>
      {say(word)}
    </button>
  );
  return (
    <div class="answer" role="group" aria-label={say("call.reply")}>
      <label>
        {say("call.minutes")}
        <input
          type="number"
          min={1}
          max={240}
          value={minutes.value}
          onInput={(e) => {
            minutes.value = e.currentTarget.value;
          }}
        />
      </label>
      {button("call.do.way", () => ({ answer: "on-the-way", minutes: Number(minutes.value) || 0 }))}
      <label>
        {say("call.phone")}
        <input
          type="tel"
          maxLength={24}
          value={phone.value}
          onInput={(e) => {
            phone.value = e.currentTarget.value;
          }}
        />
      </label>
      {button("call.do.us", () => ({ answer: "call-us", phone: phone.value.trim() }))}
      {button("call.do.not", () => ({ answer: "not-available", phone: phone.value.trim() }))}
      {button("call.do.end", () => ({ end: true }))}
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
    </div>
  );
}
