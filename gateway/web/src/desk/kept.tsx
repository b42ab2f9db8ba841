import { say } from "./model";
import { Moment, Table, useData } from "./parts";

interface Kept {
  what: string;
  hours: number | null;
  removed: number;
  newest?: string;
}

/** How long records are kept: whole days as days. */
function keptFor(hours: number | null): string {
  if (hours === null) return say("kept.forever");
  return hours % 24 === 0 ? say("kept.days", { n: hours / 24 }) : say("kept.hours", { n: hours });
}

/** For how long the county keeps its records, and what was removed because it was older. */
export function KeptFor() {
  const kept = useData<Kept[]>("/api/retention", 60);
  if (!kept.data) return null;
  return (
    <section>
      <h2>{say("kept.title")}</h2>
      <Table
        caption={say("kept.title")}
        head={["col.what", "col.kept", "col.removed", "col.until"]}
        rows={kept.data.map((k) => [
          say(`kept.${k.what}`),
          keptFor(k.hours),
          k.removed,
          k.newest ? <Moment at={k.newest} /> : "–",
        ])}
      />
    </section>
  );
}
