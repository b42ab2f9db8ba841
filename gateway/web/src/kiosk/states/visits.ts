// What visits wait for, and a gate where nobody is.
import { say, type Words } from "../../words";
import { personOf, temperature, type States } from "../picture";
import { left, type Part } from "../view";

/** What tells one device from another: its lane, its direction, or both. */
const ways = [
  (_: Words, p: Part) => p.lane ?? "",
  (w: Words, p: Part) => (p.direction ? say(w, `part.${p.direction}`) : ""),
  (w: Words, p: Part) => (p.lane && p.direction ? `${p.lane} ${say(w, `part.${p.direction}`)}` : ""),
];

/** What works and what does not, where it is not everything; "" where all works. */
function partly(w: Words, parts: Part[]): string {
  const [bad, good] = [parts.filter((p) => !p.works), parts.filter((p) => p.works)];
  const [first] = bad;
  if (!first) return "";
  const of = first.kind === "temperature" ? "temperature" : "reader";
  for (const way of ways) {
    const [not, does] = [bad, good].map((list) => [...new Set(list.map((p) => way(w, p)))]) as [string[], string[]];
    if (![...not, ...does].every(Boolean) || not.some((n) => does.includes(n))) continue;
    const names = { bad: not.join(say(w, "and")), good: does.join(say(w, "and")) };
    return say(w, does.length > 1 ? `order.partly.${of}.bad` : `order.partly.${of}`, names);
  }
  const kinds = good.some((p) => p.kind === first.kind) ? of : first.kind;
  return say(w, `order.partly.one.${kinds}`);
}

export const visits: States = {
  idle: {
    tone: "light",
    icon: "card",
    draw: ({ w, v, now }) => ({
      headline: say(w, v.asks && v.asks !== "both" ? `asks.${v.asks}` : "look.idle"),
      order: partly(w, v.partly ?? []) || (w[`order.idle.${v.asks}`] ?? say(w, "order.idle")),
      note: (v.notices ?? [])
        .filter((n) => !n.until || Date.parse(n.until) > now)
        .map((n) => (n.en && w.lang !== "EN" ? n.en : n.text)) // the key offers the other language
        .join("\n"),
      icon: { temperature: "therm", "by-hand": "card", nothing: "hand" }[v.asks ?? ""],
    }),
  },
  measuring: {
    tone: "blue",
    icon: "therm",
    draw: ({ w }) => ({ headline: say(w, "look.measuring"), order: say(w, "order.measuring") }),
  },
  tapped: {
    tone: "blue",
    icon: "therm",
    draw: ({ w, v, now }) => ({
      headline: say(w, v.again ? "look.again" : "look.tapped"),
      value: String(left(v.until, now)),
      unit: say(w, "unit.s"),
      order: say(w, v.occupied ? "order.occupied" : "order.tapped"),
      line: personOf(w, v),
      bar: true,
    }),
  },
  measured: {
    tone: "blue",
    icon: "card",
    draw: ({ w, v, now }) => ({
      headline: say(w, "look.measured"),
      ...temperature(v),
      order: say(w, "order.measured", { n: left(v.until, now) }),
      line: personOf(w, v),
      bar: true,
    }),
  },
  apart: {
    tone: "amber",
    icon: "apart",
    draw: ({ w, v, now }) => ({
      headline: say(w, "look.apart"),
      note: say(w, "note.apart"),
      order: say(w, "order.apart", { n: left(v.until, now) }),
      line: personOf(w, { ...v, class: undefined }),
      bar: true,
    }),
  },
  unread: {
    tone: "amber",
    icon: "unread",
    draw: ({ w, v }) => ({
      headline: say(w, "look.unread"),
      order: say(w, "order.unread"),
      line: personOf(w, v),
    }),
  },
};
