// The sounds of the guard's screen. Alarms are as IEC 60601-1-8:2006+A1 (clause 6.3.3, tables 3 and 4) asks for:
// 10 pulses for a high priority, 3 for a medium, 2 for a low one; a fundamental of 150 to 1,000 Hz with at least four
// harmonics below 4 kHz within 15 dB of it; the higher the priority, the louder. Small speakers need 500 Hz and more.
// No voice says the orders: see README.md.

export interface Pulse {
  hz: number;
  at: number; // seconds from the beginning
  for: number; // seconds
}

export interface Pattern {
  pulses: Pulse[];
  every: number; // seconds between beginnings, as long as the state lasts; 0: once
  level: number; // 0 to 1
}

function burst(notes: number[], start: number, length: number, gap: number): Pulse[] {
  return notes.map((hz, i) => ({ hz, at: start + i * (length + gap), for: length }));
}

type Melody = [number, number, number, number, number];

/** Pulses of 150 ms: 3 and 2, twice. 2.5 s of silence follow. */
function high(notes: Melody): Pattern {
  const [length, gap, between, pause] = [0.15, 0.1, 0.35, 0.7];
  const fourth = 3 * length + 2 * gap + between;
  const group = fourth + 2 * length + gap;
  const twice = [0, group + pause].flatMap((at) => [
    ...burst(notes.slice(0, 3), at, length, gap),
    ...burst(notes.slice(3), at + fourth, length, gap),
  ]);
  return { pulses: twice, every: 2 * group + pause + 2.5, level: 0.8 };
}

const medium = (hz: number, every: number): Pattern => ({
  pulses: burst([hz, hz, hz], 0, 0.2, 0.2),
  every,
  level: 0.6,
});
const low = (hz: number, every: number): Pattern => ({ pulses: burst([hz, hz], 0, 0.2, 0.2), every, level: 0.45 });
const once = (notes: number[], length: number): Pattern => ({
  pulses: burst(notes, 0, length, 0.15),
  every: 0,
  level: 0.4,
});

export const patterns: Record<string, Pattern> = {
  prompt: once([1319], 0.08),
  pass: once([1047], 0.12),
  amber: once([659, 659], 0.18),
  fever: high([523, 587, 659, 698, 784]), // "temperature" of the standard, an octave up: C5 D5 E5 – F5 G5
  sealed: high([880, 880, 880, 880, 880]),
  cut: high([988, 988, 988, 988, 988]),
  unknown: medium(784, 5),
  fault: medium(587, 28),
  offline: low(523, 60),
};

const rise = 0.15; // of a pulse's length, at its beginning and at its end
const harmonics = new Float32Array([0, 1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]);

/** Puts a pattern's pulses into a graph, t0 seconds from its beginning. */
export function schedule(ctx: BaseAudioContext, out: AudioNode, p: Pattern, t0: number): void {
  const wave = ctx.createPeriodicWave(new Float32Array(harmonics.length), harmonics);
  for (const pulse of p.pulses) {
    const gain = ctx.createGain();
    const [from, edge] = [t0 + pulse.at, rise * pulse.for];
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(p.level, from + edge);
    gain.gain.setValueAtTime(p.level, from + pulse.for - edge);
    gain.gain.linearRampToValueAtTime(0, from + pulse.for);
    gain.connect(out);
    const tone = ctx.createOscillator();
    tone.setPeriodicWave(wave);
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
  private timer: ReturnType<typeof setInterval> | undefined;
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

  /** Plays the pattern name for the view id until another is played; the same call again changes nothing. */
  play(name: string, id: string): void {
    const what = name && `${name} ${id}`;
    if (what === this.playing) return;
    this.playing = what;
    clearInterval(this.timer);
    this.gain?.disconnect(); // ends what sounds
    this.gain = null;
    const p = patterns[name];
    if (!p) return;
    const gain = this.ctx.createGain();
    gain.connect(this.out);
    this.gain = gain;
    const sound = () => {
      schedule(this.ctx, gain, p, this.ctx.currentTime + 0.02);
    };
    sound();
    if (p.every > 0) this.timer = setInterval(sound, p.every * 1000);
  }
}
