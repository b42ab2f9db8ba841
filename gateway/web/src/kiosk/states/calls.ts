// Somebody is called: whom, under which number, and what the county says to it. Nobody has been called before
// somebody has answered: until then the words are asked, received and seen.
import { say, type Words } from "../../words";
import { joined, personOf, type States } from "../picture";
import { degrees, hhmm, type Call, type Contact } from "../view";

export const phones = (w: Words, list: Contact[]): [string, string][] =>
  list.slice(0, 2).map((c) => [say(w, `role.${c.role}`), c.phone]);

/** What the county has answered, or how far the call has come. */
function order(w: Words, c: Call): string {
  const who = say(w, `role.${c.role}`);
  if (c.state !== "answered") return say(w, `order.call.${c.state}`, { who });
  const code = c.answer === "on-the-way" && c.minutes ? "on-the-way.minutes" : c.answer;
  return say(w, `order.call.${code}`, { who, n: c.minutes ?? 0, phone: c.contacts[0]?.phone ?? "" });
}

const headlines: Record<string, string> = { answered: "look.call-answered", ended: "look.call-ended" };

export const calls: States = {
  called: {
    tone: "red",
    icon: "phone",
    draw: ({ w, v }) => {
      const c = v.call ?? { id: "", role: "county", since: v.since ?? "", state: "asked", contacts: [] };
      const who = say(w, `role.${c.role}`);
      return {
        headline: say(w, headlines[c.state] ?? "look.called", { who }),
        phones: phones(w, c.contacts),
        note: c.contacts.length > 0 ? "" : say(w, "note.no-phone"),
        order: order(w, c),
        line: joined(hhmm(c.since), v.screening_c === undefined ? "" : `${degrees(v.screening_c)} °C`, personOf(w, v)),
        labels: { "help-arrived": say(w, `arrived.${c.role}`) },
      };
    },
  },
};
