// The test at the change of shift: three pictures with their sounds, then the question whether all was seen and heard.
import type { View } from "./view";

const pictures = ["test-pass", "test-retest", "test-fever"];
const sounds = ["pass", "amber", "fever"];
const each = 3300; // ms for a picture
const askFor = 60_000; // ms for the answer

export class Test {
  private from = -Infinity; // performance.now() when it began

  press(action: string): void {
    if (action === "shift-test") this.from = performance.now();
    if (action === "shift-test-passed" || action === "shift-test-failed") this.from = -Infinity;
  }

  /** Returns the picture of the test instead of an idle view, while it runs. Anything real ends it. */
  over(v: View): View {
    if (v.look !== "idle") this.from = -Infinity;
    const at = performance.now() - this.from;
    const n = Math.floor(at / each);
    const look = pictures[n];
    const own: View = { ...v, id: `test ${n}`, actions: [], asks: undefined, notices: undefined };
    if (look) return { ...own, look, sound: v.muted ? undefined : sounds[n] };
    if (at > pictures.length * each + askFor) return v;
    return { ...own, look: "test-ask", id: "test-ask", actions: ["shift-test-passed", "shift-test-failed"] };
  }
}
