// What is broken, and how the gate goes on.
import { clock, say } from "../../words";
import { alarmLine, type Seen, type States } from "../picture";

const since = ({ w, v, now }: Seen): string =>
  v.since ? say(w, "since", { time: clock(now - Date.parse(v.since)) }) : "";

const icons: Record<string, string> = { journal: "unkept", doubtful: "doubtful", "check-due": "therm" };

export const faults: States = {
  fault: {
    tone: "red",
    icon: "fault",
    draw: (x) => {
      const { w, v } = x;
      const how = v.gone ? `fault.gone` : w[`fault.broken.${v.kind}`] ? `fault.broken.${v.kind}` : "fault.broken";
      return {
        headline: say(w, `fault.${v.kind}`),
        note: say(w, how),
        order: say(w, `order.fault.${v.kind}`),
        line: alarmLine({ ...x, v: { ...v, since: undefined } }, since(x)),
        icon: icons[v.kind ?? ""],
      };
    },
  },
  offline: {
    tone: "red",
    icon: "offline",
    draw: (x) => ({
      headline: x.w[`offline.${x.v.kind}`] ?? say(x.w, "look.offline"),
      note: say(x.w, "note.offline"),
      order: say(x.w, "order.offline"),
      line: alarmLine({ ...x, v: { ...x.v, since: undefined } }, since(x)),
    }),
  },
};
