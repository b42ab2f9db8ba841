// States of the page itself: it is cut off from the agent, the shift's test; and the gate's end.
import { say } from "../../words";
import type { Seen, State, States, Tone } from "../picture";
import { hhmmss } from "../view";
import { phones } from "./calls";

const test = (tone: Tone, n: number): State => ({
  tone,
  icon: "test",
  draw: ({ w }: Seen) => ({
    headline: say(w, `test.${n}`),
    note: say(w, `test.note.${n}`),
    order: say(w, "order.test"),
  }),
});

export const own: States = {
  cut: {
    tone: "red",
    icon: "cut",
    draw: ({ w, v, gate }) => {
      const [first] = phones(w, gate.contacts ?? []);
      return {
        headline: say(w, "look.cut"),
        note: say(w, "note.cut"),
        order: first ? say(w, "order.cut.phone", { who: first[0], phone: first[1] }) : say(w, "order.cut"),
        line: v.since ? say(w, "line.cut", { time: hhmmss(Date.parse(v.since)) }) : "",
      };
    },
  },
  retired: {
    tone: "red",
    icon: "retired",
    draw: ({ w, v }) => ({
      headline: say(w, "look.retired"),
      note: w[`note.retired.${v.kind}`] ?? say(w, "note.retired.delivering"),
      order: say(w, "order.retired"),
    }),
  },
  "test-pass": test("go", 1),
  "test-retest": test("amber", 2),
  "test-fever": test("red", 3),
  "test-ask": {
    tone: "light",
    icon: "test",
    draw: ({ w }) => ({
      headline: say(w, "test.ask"),
      note: say(w, "test.ask.note"),
      order: say(w, "order.test.ask"),
    }),
  },
};
