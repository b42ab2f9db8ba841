// People with a high reading, who wait in the warm and are measured a second time.
import { say } from "../../words";
import { alarmLine, joined, personOf, temperature, type Picture, type Seen, type States } from "../picture";
import { hhmm } from "../view";

/** Somebody who waits, shown while nobody is in the lanes. */
function waiter({ w, v }: Seen, code: string): Picture {
  const at = { time: hhmm(v.episode?.ready) };
  return {
    headline: say(w, `look.${code}`, at),
    ...temperature(v),
    order: say(w, `order.${code}`, at),
    line: joined(
      personOf(w, { ...v, lane: undefined }),
      hhmm(v.since) && say(w, "line.first", { time: hhmm(v.since) }),
    ),
  };
}

export const episodes: States = {
  waiting: { tone: "light", icon: "therm", draw: (x) => waiter(x, "waiting") },
  ready: { tone: "blue", icon: "therm", draw: (x) => waiter(x, "ready") },
  contact: {
    tone: "blue",
    icon: "therm",
    draw: (x) => waiter(x, x.v.episode?.step === "confirmed" ? "held" : "contact"),
  },
  confirmed: {
    tone: "red",
    icon: "fever",
    draw: (x) => ({
      headline: say(x.w, "look.confirmed"),
      ...temperature(x.v),
      order: say(x.w, x.v.instruction === "go-home" ? "order.confirmed.home" : "order.confirmed.away"),
      line: alarmLine(x),
      labels: { isolate: say(x.w, "action.sent-home"), "turned-away": say(x.w, "action.sent-back") },
    }),
  },
};
