// One WebSocket a page: the whole state first, then numbered changes. A page
// that lost its connection resumes where it was.

export interface Frame {
  e: string;
  n: number;
  at: string;
  all?: Record<string, unknown>;
  set?: Record<string, unknown>;
  del?: string[];
}

export interface Listener {
  /** Called with what changed; whole is true when it is the whole state. */
  changed(state: Map<string, unknown>, keys: string[], whole: boolean): void;
  /** Called when the server refuses this page: its session has ended. */
  refused?(): void;
}

/** The address below which the server has everything: the page knows it by its own script. */
export const root = new URL("..", (document.currentScript as HTMLScriptElement).src).href;

const retryFirst = 300;
const retryLast = 3000;

export class Live {
  readonly state = new Map<string, unknown>();
  /** When the last frame came, by performance.now(). */
  heard = performance.now();
  /** The server's clock minus this computer's, in milliseconds. */
  skew = 0;
  private epoch = "";
  private n = 0;
  private retry = retryFirst;
  private socket: WebSocket | null = null;
  private stopped = false;

  constructor(
    private readonly path: string,
    private readonly listener: Listener,
  ) {}

  connect(): void {
    this.stopped = false;
    if (this.socket) return;
    const url = new URL(this.path, root);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.epoch) {
      url.searchParams.set("epoch", this.epoch);
      url.searchParams.set("since", String(this.n));
    }
    const socket = new WebSocket(url);
    this.socket = socket;
    let opened = false;
    // A host that vanished leaves a socket that never closes.
    const watch = setInterval(() => {
      if (performance.now() - Math.max(this.heard, began) > 8000) socket.close();
    }, 1000);
    const began = performance.now();
    socket.onmessage = (m: MessageEvent<string>) => {
      opened = true;
      this.retry = retryFirst;
      this.take(JSON.parse(m.data) as Frame);
    };
    socket.onclose = () => {
      clearInterval(watch);
      this.socket = null;
      if (this.stopped) return;
      if (!opened) this.listener.refused?.();
      setTimeout(
        () => {
          if (!this.stopped) this.connect();
        },
        this.retry * (0.7 + 0.6 * Math.random()),
      );
      this.retry = Math.min(this.retry * 2, retryLast);
    };
  }

  /** The next connection receives the whole state: another user may see something else. */
  forget(): void {
    this.epoch = "";
    this.n = 0;
  }

  stop(): void {
    this.stopped = true;
    this.socket?.close();
  }

  say(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** The server's clock, milliseconds since 1970. */
  now(): number {
    return Date.now() + this.skew;
  }

  private take(f: Frame): void {
    this.heard = performance.now();
    this.skew = Date.parse(f.at) - Date.now();
    this.epoch = f.e;
    this.n = f.n;
    const keys: string[] = [];
    if (f.all) {
      keys.push(...this.state.keys());
      this.state.clear();
    }
    for (const [key, value] of Object.entries({ ...f.all, ...f.set })) {
      this.state.set(key, value);
      keys.push(key);
    }
    for (const key of f.del ?? []) {
      this.state.delete(key);
      keys.push(key);
    }
    this.listener.changed(this.state, keys, f.all !== undefined);
  }
}
