// The cards with the codes that put gates into service, to print.
import { say } from "./model";
import { gateName, time } from "./parts";

/** A code that was made, as text and as the path of a QR code. */
export interface Card {
  agent: string;
  text: string;
  until: string;
  size: number;
  path: string;
}

/** A card to print: it holds all that a gate needs, and is shown once. */
function PrintedCard({ of }: { of: Card }) {
  return (
    <article class="card">
      <h3>
        {gateName(of.agent)} · {of.agent}
      </h3>
      <svg
        viewBox={`-4 -4 ${of.size + 8} ${of.size + 8}`}
        role="img"
        aria-label={say("enrol.qr", { gate: of.agent })}
        shape-rendering="crispEdges"
      >
        <rect x="-4" y="-4" width={of.size + 8} height={of.size + 8} fill="#fff" />
        <path d={of.path} fill="#000" />
      </svg>
      <pre>{of.text}</pre>
      <p>
        {say("enrol.until")} {time(of.until)}
      </p>
      <p>{say("enrol.steps")}</p>
    </article>
  );
}

/** Cards that were just made; nothing when there are none. */
export function Cards({ list, hide }: { list: Card[]; hide: () => void }) {
  if (list.length === 0) return null;
  return (
    <section class="printed">
      <header>
        <h2>{say("enrol.cards")}</h2>
        <span class="row">
          <button
            type="button"
            class="main"
            onClick={() => {
              print();
            }}
          >
            {say("enrol.print")}
          </button>
          <button type="button" onClick={hide}>
            {say("enrol.hide")}
          </button>
        </span>
      </header>
      <p class="once">{say("enrol.once")}</p>
      <div class="cards">
        {list.map((c) => (
          <PrintedCard key={c.text} of={c} />
        ))}
      </div>
    </section>
  );
}
