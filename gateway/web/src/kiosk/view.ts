// What the agent sends the guard's screen: codes, values and times. edge/kiosk/view.go and parts.go make it.
/** What somebody at the county has just done at the gate. */
export interface CountyAct {
  action: string; // open, notice, reload, restart
  by: string;
  reason: string;
  lane?: string;
  text?: string; // of a notice
  en?: string;
  since?: string;
}

export interface View {
  look: string; // the key of the table of states
  id: string;
  since?: string;
  screening_c?: number;
  reasons?: string[];
  instruction?: string;
  class?: string;
  shown?: string; // building and masked name, of the roster
  direction?: string;
  device?: string; // that is at fault, or being checked
  kind?: string; // of a fault
  gone?: boolean;
  lane?: string;
  lanes?: string[]; // of a gate with several
  entered?: string; // the kind of thermometer that the guard read the temperature off
  until?: string; // when it is too late for what is asked
  asks?: string; // of an idle gate
  partly?: Part[]; // the devices of a kind of which some work and some do not
  occupied?: boolean; // who is asked to be measured must step back first
  actions: string[];
  sound?: string;
  muted?: string;
  strips: Strip[]; // what concerns other people in the lanes
  standing?: Strip[]; // faults that the guard has answered and that still hold
  queue?: Queued[]; // the first alarms without an answer, in the order in which they fill the screen
  unanswered?: number; // how many there are
  answered?: Queued & { action: string }; // a moment ago
  call?: Call;
  notices?: Notice[];
  county?: CountyAct[];
  waiters?: Waiter[];
  episode?: { step: string; first_c: number; ready?: string }; // of whom the view is about
  again?: boolean; // they are measured a second time
  guard?: string; // on duty
  check?: FieldCheck;
}

/** A device of an idle gate, where others of its kind do not work as it does. */
export interface Part {
  kind: string; // what it takes: card, code or temperature
  lane?: string;
  direction?: string;
  works: boolean;
}

/** A thermometer is compared with a contact thermometer. */
export interface FieldCheck {
  state: string; // open, done, given-up
  pairs: number; // people so far
  needed: number;
  screening_c?: number; // of the person who was measured last
  problem?: string; // why the last measurement does not count
  offset_c: number;
  result?: {
    mean_error_c: number;
    spread_c: number;
    proposed_offset_c: number;
    passed: boolean;
    faults?: string[];
  };
}

export interface Strip {
  look: string;
  kind?: string;
  lane?: string;
  screening_c?: number;
  reasons?: string[];
  class?: string;
  direction?: string;
  since?: string;
  until?: string;
}

export interface Queued {
  id: string;
  look: string;
  kind?: string;
  screening_c?: number;
  since?: string;
}

export interface Contact {
  role: string;
  phone: string;
}

export interface Call {
  id: string;
  role: string;
  since: string;
  state: string; // asked, received, seen, answered, cut or ended
  answer?: string;
  minutes?: number;
  contacts: Contact[];
}

export interface Notice {
  text: string;
  en?: string; // in English
  until?: string;
}

export interface Waiter {
  id: string;
  class?: string;
  screening_c?: number;
  ready?: string;
  until?: string;
}

export interface Person {
  seq: number;
  at?: string; // absent: not known
  look: string;
  screening_c?: number;
  class?: string;
  direction?: string;
}

export interface Lamps {
  thermometer: string;
  reader: string;
  county: boolean;
  pending: number;
  kept: boolean;
}

export interface Gate {
  title: string;
  agent: string;
  version: string;
  contacts?: Contact[];
}

/** Seconds until something is too late, rounded up. */
export const left = (until: string | undefined, now: number): number =>
  until ? Math.max(0, Math.ceil((Date.parse(until) - now) / 1000)) : 0;

/** Hours and minutes of a time, by this computer's zone; "" when it is not known. */
export const hhmm = (at: string | undefined): string => (at ? hhmmss(Date.parse(at)).slice(0, 5) : "");

/** A time of day, by this computer's zone. The browser's own formatting takes a hundred times as long. */
export function hhmmss(ms: number): string {
  const t = new Date(ms);
  return [t.getHours(), t.getMinutes(), t.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

export const degrees = (t: number | undefined): string => (t === undefined ? "" : t.toFixed(1));

/** A difference of temperatures, with its sign. */
export const signed = (t: number): string => (t > 0 ? "+" : "") + t.toFixed(2);
