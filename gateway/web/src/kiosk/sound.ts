// The sounds of the guard's screen: pulses between 500 and 2,000 Hz, which
// small speakers can play. High priority is 3 + 2 pulses (IEC 60601-1-8).

export interface Pulse {
  hz: number;
  at: number; // seconds from the beginning
  for: number; // seconds
}

export interface Pattern {
  pulses: Pulse[];
  every: number; // seconds between beginnings; 0: once
  times: number; // how often; 0: until the state ends
}

function burst(notes: number[], start: number, length: number, gap: number): Pulse[] {
  return notes.map((hz, i) => ({ hz, at: start + i * (length + gap), for: length }));
}

function threeTwo(notes: [number, number, number, number, number]): Pulse[] {
  return [...burst(notes.slice(0, 3), 0, 0.15, 0.1), ...burst(notes.slice(3), 1.05, 0.15, 0.1)];
}

const high = 880;

export const patterns: Record<string, Pattern> = {
  prompt: { pulses: burst([1319], 0, 0.08, 0), every: 0, times: 1 },
  pass: { pulses: burst([1047], 0, 0.12, 0), every: 0, times: 1 },
  amber: { pulses: burst([659, 659], 0, 0.18, 0.15), every: 0, times: 1 },
  // "Temperature" of IEC 60601-1-8, an octave up: C5 D5 E5 – F5 G5.
  fever: { pulses: threeTwo([523, 587, 659, 698, 784]), every: 3, times: 0 },
  sealed: { pulses: threeTwo([high, high, high, high, high]), every: 3, times: 0 },
  unknown: { pulses: burst([784, 784, 784], 0, 0.2, 0.15), every: 3, times: 3 },
  fault: { pulses: burst([587, 587, 587], 0, 0.2, 0.15), every: 30, times: 0 },
  offline: { pulses: burst([523, 523, 523], 0, 0.2, 0.15), every: 600, times: 0 },
  cut: { pulses: threeTwo([988, 988, 988, 988, 988]), every: 3, times: 0 },
};

const volume = 0.5;
const edge = 0.01; // seconds of rise and fall, so that pulses do not click

/** Puts a pattern's pulses into a graph, t0 seconds from its beginning. */
export function schedule(ctx: BaseAudioContext, out: AudioNode, p: Pattern, t0: number): void {
  for (const pulse of p.pulses) {
    const gain = ctx.createGain();
    const from = t0 + pulse.at;
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(volume, from + edge);
    gain.gain.setValueAtTime(volume, from + pulse.for - edge);
    gain.gain.linearRampToValueAtTime(0, from + pulse.for);
    gain.connect(out);
    // A triangle carries further than a sine at the same peak, and keeps its pitch.
    const tone = ctx.createOscillator();
    tone.type = "triangle";
    tone.frequency.value = pulse.hz;
    tone.connect(gain);
    tone.start(from);
    tone.stop(from + pulse.for);
  }
}

/** Plays the pattern of the view that is shown. */
export class Speaker {
  readonly ctx = new AudioContext();
  readonly out: AnalyserNode;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private playing = "";
  private gain: GainNode | null = null;

  constructor() {
    this.out = this.ctx.createAnalyser();
    this.out.fftSize = 8192;
    this.out.connect(this.ctx.destination);
  }

  get running(): boolean {
    return this.ctx.state === "running";
  }

  unlock(): void {
    void this.ctx.resume();
  }

  /** Plays the pattern name for the view id; the same call again changes nothing. */
  play(name: string, id: string): void {
    const what = name && `${name} ${id}`;
    if (what === this.playing) return;
    this.playing = what;
    clearTimeout(this.timer);
    this.gain?.disconnect(); // ends what sounds
    this.gain = null;
    const p = patterns[name];
    if (!p) return;
    const gain = this.ctx.createGain();
    gain.connect(this.out);
    this.gain = gain;
    let left = p.times || Infinity;
    const once = () => {
      schedule(this.ctx, gain, p, this.ctx.currentTime + 0.02);
      if (--left > 0 && p.every > 0) this.timer = setTimeout(once, p.every * 1000);
    };
    once();
  }
}
