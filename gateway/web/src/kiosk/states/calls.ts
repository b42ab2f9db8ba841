// Somebody is called: whom, under which number, and what the county says to it.
import { say, type Words } from "../../words";
import { joined, personOf, type States } from "../picture";
import { degrees, hhmm, type Contact } from "../view";

export const phones = (w: Words, list: Contact[]): [string, string][] =>
  list.slice(0, 2).map((c) => [say(w, `role.${c.role}`), c.phone]);

export const calls: States = {
  called: {
    tone: "red",
    icon: "phone",
    draw: ({ w, v }) => {
      const c = v.call ?? { id: "", role: "county", since: v.since ?? "", state: "asked", contacts: [] };
      const answer = c.answer ? (w[`answer.${c.answer}`] ?? c.answer) : "";
      return {
        headline: say(w, "look.called", { who: say(w, `role.${c.role}`) }),
        phones: phones(w, c.contacts),
        note: c.contacts.length > 0 ? "" : say(w, "note.no-phone"),
        order:
          c.state === "answered"
            ? say(w, c.minutes ? "order.call.minutes" : "order.call.answered", { answer, n: c.minutes ?? 0 })
            : say(w, `order.call.${c.state}`),
        line: joined(hhmm(c.since), v.screening_c === undefined ? "" : `${degrees(v.screening_c)} °C`, personOf(w, v)),
      };
    },
  },
};
