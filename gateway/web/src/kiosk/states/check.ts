// A field check: ten people are measured by the gate's thermometer and by a contact thermometer.
import { say } from "../../words";
import { joined, type Picture, type Seen, type States } from "../picture";
import { degrees, signed } from "../view";

/** What the guard does next. */
function step({ w, v }: Seen): Picture {
  const c = v.check;
  const n = { n: (c?.pairs ?? 0) + 1, of: c?.needed ?? 0 };
  const measured = c?.screening_c;
  return {
    headline: say(w, "look.check"),
    ...(measured === undefined ? { note: say(w, "check.person", n) } : { value: degrees(measured), unit: "°C" }),
    order: say(w, measured === undefined ? "order.check.measure" : "order.check.contact"),
    line: joined(
      v.lane && say(w, "lane", { name: v.lane }),
      measured === undefined ? "" : say(w, "check.person.short", n),
      c?.problem && say(w, "check.problem", { why: say(w, `reason.${c.problem}`) }),
    ),
  };
}

function result({ w, v }: Seen): Picture {
  const r = v.check?.result;
  if (!r) {
    return {
      headline: say(w, "check.given-up"),
      note: say(w, "check.given-up.note"),
      order: say(w, "order.check.given-up"),
      icon: "doubtful",
    };
  }
  const worst = (r.faults ?? []).at(-1);
  return {
    headline: say(w, r.passed ? "check.passed" : "check.failed"),
    value: signed(r.mean_error_c),
    unit: "°C",
    order: say(w, r.passed ? "order.check.passed" : "order.check.failed"),
    line: joined(
      // An offset helps only where nothing else is wrong.
      worst && worst !== "off" ? "" : say(w, "check.offset", { value: r.proposed_offset_c.toFixed(2) }),
      say(w, "check.spread", { value: r.spread_c.toFixed(2) }),
      worst && worst !== "off" ? say(w, `check.fault.${worst}`) : "",
    ),
    icon: r.passed ? "pass" : "doubtful",
  };
}

export const checks: States = {
  check: { tone: "blue", icon: "therm", draw: (x) => (x.v.check?.state === "open" ? step(x) : result(x)) },
};
