// What visits wait for, and a gate where nobody is.
import { say } from "../../words";
import { personOf, temperature, type States } from "../picture";
import { left } from "../view";

export const visits: States = {
  idle: {
    tone: "light",
    icon: "card",
    draw: ({ w, v, now }) => ({
      headline: say(w, v.asks && v.asks !== "both" ? `asks.${v.asks}` : "look.idle"),
      order: say(w, "order.idle"),
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
