// Verdicts about people.
import { say } from "../../words";
import { alarmLine, joined, personOf, temperature, type Picture, type Seen, type States } from "../picture";
import { hhmm } from "../view";

/** A refusal or a retest: the reason is the headline, with what to do about it; other reasons are in the line. */
function byReason({ w, v }: Seen): Picture {
  const known = (v.reasons ?? []).find((r) => w[`order.${r}`] !== undefined);
  const rest = (v.reasons ?? []).filter((r) => r !== known && r !== "entered");
  return {
    headline: say(w, known && w[`reason.${known}`] ? `reason.${known}` : `look.${v.look}`),
    ...temperature(v),
    order: w[`order.${known}.${v.instruction}`] ?? say(w, `order.${known ?? v.look}`, { time: hhmm(v.episode?.ready) }),
    line: joined(personOf(w, v), ...rest.map((r) => say(w, `reason.${r}`))),
  };
}

function feverOrder({ w, v }: Seen): string {
  if (v.instruction === "wait") return say(w, "order.fever-wait", { time: hhmm(v.episode?.ready) });
  return say(w, v.instruction === "measure-again" ? "order.fever-mixed" : "order.fever");
}

export const verdicts: States = {
  pass: {
    tone: "go",
    icon: "pass",
    draw: ({ w, v }) => ({
      headline: say(w, v.reasons?.[0] === "not-measured" ? "pass.not-measured" : "look.pass"),
      ...temperature(v),
      order: say(w, "order.pass"),
      line: joined(
        personOf(w, v),
        ...(v.reasons ?? [])
          .slice(1)
          .filter((r) => r !== "entered") // the line of the person says with what
          .map((r) => say(w, `reason.${r}`)),
      ),
    }),
  },
  refuse: { tone: "amber", icon: "refuse", draw: byReason },
  retest: { tone: "amber", icon: "retest", draw: byReason },
  invalid: {
    tone: "amber",
    icon: "invalid",
    draw: (x) => ({
      ...byReason(x),
      headline: say(x.w, "look.invalid"),
      line: joined(
        personOf(x.w, x.v),
        ...(x.v.reasons ?? []).slice(0, x.v.shown ? 1 : 2).map((r) => say(x.w, `reason.${r}`)),
      ),
    }),
  },
  fever: {
    tone: "red",
    icon: "fever",
    draw: (x) => ({
      headline: say(x.w, "look.fever"),
      ...temperature(x.v),
      order: feverOrder(x),
      line: alarmLine(x),
    }),
  },
  sealed: {
    tone: "red",
    icon: "sealed",
    draw: (x) => ({
      headline: say(x.w, "look.sealed"),
      ...temperature(x.v),
      order: say(x.w, "order.sealed"),
      line: alarmLine(x),
    }),
  },
  "sealed-in": {
    tone: "red",
    icon: "home",
    draw: (x) => ({
      headline: say(x.w, "look.sealed-in"),
      ...temperature(x.v),
      order: say(x.w, "order.sealed-in"),
      line: alarmLine(x),
    }),
  },
  unknown: {
    tone: "red",
    icon: "unknown",
    draw: (x) => ({
      headline: say(x.w, "look.unknown"),
      ...temperature(x.v),
      order: say(x.w, "order.unknown"),
      line: alarmLine(x),
    }),
  },
};
