// What the desk's server sends.

export interface Device {
  name: string;
  state: string;
  idle_s: number;
}
export interface Gate {
  agent: string;
  state: string;
  heard?: string;
  backlog?: number;
  last?: number;
  oldest?: string;
  full_in_h?: number;
  devices?: Device[];
  version?: string;
  troubles?: Trouble[];
}
/** What keeps a program from its work (a problem), or needs somebody (a warning). */
export interface Trouble {
  kind: string;
  problem?: boolean;
  since?: string;
  text: string;
  advice?: string;
  with?: Record<string, string>;
}
export interface Alert {
  id: number;
  agent: string;
  type: string;
  level: "red" | "amber" | "over";
  device?: string;
  detail?: string;
  screening_c?: number;
  at: string;
  /** A condition that holds. */
  lasts?: boolean;
  cleared?: string;
  guard?: string;
  acked?: string;
  acked_by?: string;
  note?: string;
  /** The run that it is about, and where that was. */
  run?: { machine: string; name: string; run: string; place?: string };
  passage?: RecordName;
  call?: Call;
  /** What a second measurement of somebody with a fever has said. */
  settled?: { step: "cleared" | "confirmed"; at: string; screening_c?: number; with?: string };
}
/** A record of a journal. */
export interface RecordName {
  journal: string;
  seq: number;
}
/** A sentence: its code has words, in which values and other codes stand. */
export interface Sentence {
  part: string;
  code: string;
  with?: Record<string, string>;
  words?: Record<string, string>;
}
export interface Explained extends RecordName {
  agent: string;
  at: string;
  verdict: string;
  sentences: Sentence[];
}
export interface Passage extends RecordName {
  at: string;
  agent: string;
  verdict: string;
  reasons: string[];
  screening_c?: number;
  ambient_c?: number;
  direction?: string;
  class?: string;
}
export interface Node {
  id: string;
  name: string;
  gates?: string[];
  under?: Node[];
}
/** What the county tells the guards of one gate, of a community's gates, or with neither of all. */
export interface Notice {
  id: number;
  community?: string;
  gate?: string;
  zh: string;
  en?: string;
  written: string;
  by: string;
  until: string;
}
export interface Centre {
  fault?: string;
  store: string;
  keeps?: string;
  backup?: string;
  stored?: string;
  catching: boolean;
  troubles?: Trouble[];
  version: string;
}
export interface Totals {
  hour: number;
  verdicts: Record<string, number>;
  quarantined: number;
  lost: number;
}
export interface RunSummary {
  machine: string;
  name: string;
  type: string;
  run: string;
  state: string;
  source: string;
  operator: string;
  start: string;
  end: string;
  sorties: number;
  on_s: number;
  distance_m: number;
  litres: number | null;
  tank_l: number | null;
  grade: string;
  reasons: string[];
}
export interface Machine {
  machine: string;
  name: string;
  type: string;
  state: string;
  agent: string;
  heard?: string;
  battery_pct?: number;
  tank_pct?: number;
  run?: string;
  fault?: string;
  last?: RunSummary;
}
/** A run with its evidence; what could not be known is absent. */
export interface RunPage {
  run: {
    machine: string;
    run: string;
    name: string;
    operator?: string;
    source: string;
    state: string;
    start: string;
    end: string;
    sorties: number;
    command_s: number;
    flow_s: number;
    gap_s: number;
    on_s: number;
    distance_m: number;
    bad_fixes: number;
    litres: number | null;
    unasked_l: number;
    tank_l?: number;
    tank_first?: number;
    tank_last?: number;
    refills?: number;
    refilled?: number;
    commanded?: boolean;
    moved?: boolean;
    flowed?: boolean;
    tank_fell?: boolean;
    grade: string;
    reasons: string[];
    faults: string[];
  };
  tolerance_m: number;
  points: { lat: number; lon: number; on: boolean }[];
  chart: { at: string; flow_lpm: number | null; tank_pct: number | null; on: boolean }[];
  places: { name: string; polygon: [number, number][] }[];
}
export interface Hour {
  at: string;
  pass: number;
  retest: number;
  invalid: number;
  refuse: number;
  fever: number;
  mean_c: number | null;
}

/** A thermometer of a gate that was compared with a contact thermometer. */
export interface FieldCheck {
  began_at: string;
  state: "open" | "done" | "given-up";
  offset_c: number;
  pairs?: unknown[];
  result?: {
    mean_error_c: number;
    spread_c: number;
    proposed_offset_c: number;
    passed: boolean;
    faults?: string[];
    due_at: string;
  };
}
/** A thermometer with its last check that has a result, and a newer one that has none. */
export interface Thermometer {
  agent: string;
  device: string;
  overdue?: boolean;
  done?: FieldCheck;
  now?: FieldCheck;
}
/** A guard asks for somebody: how far that has come. */
export interface Call {
  role: string;
  state: "asked" | "seen" | "answered";
  waits: string;
  answer?: string;
  minutes?: number;
  phone?: string;
  answered?: string;
  by?: string;
  again?: number;
}

/** One who may log in to the desk, or could. */
export interface User {
  name: string;
  role: string;
  created: string;
  disabled?: string;
  entered?: string;
  /** Logs in at the provider of identities, which says the role. */
  provided?: boolean;
}

/** A log-in that has not ended. */
export interface Session {
  id: string;
  began: string;
  seen: string;
  until: string;
  from: string;
  browser: string;
  own: boolean;
}

/** What a program shows, without the secret. */
export interface Token {
  name: string;
  role: string;
  made: string;
  made_by?: string;
  until: string;
  used?: string;
  from?: string;
}
