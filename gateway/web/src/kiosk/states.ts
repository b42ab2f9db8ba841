// The table of all states. A new one is an entry in a file of states/.
import type { Picture, Seen, State, States, Tone } from "./picture";
import { calls } from "./states/calls";
import { checks } from "./states/check";
import { episodes } from "./states/episodes";
import { faults } from "./states/faults";
import { own } from "./states/own";
import { verdicts } from "./states/verdicts";
import { visits } from "./states/visits";

export const states: States = { ...visits, ...verdicts, ...faults, ...calls, ...checks, ...episodes, ...own };

/** A look that this page does not know, of a later agent, is shown as what is to be handled. */
const strange: State = verdicts.refuse as State;

export const stateOf = (look: string): State => states[look] ?? strange;
export const tone = (look: string): Tone => stateOf(look).tone;
export const picture = (x: Seen): Picture => stateOf(x.v.look).draw(x);
