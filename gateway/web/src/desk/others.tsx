import { useSignal } from "@preact/signals";
import { say } from "./model";
import { Moment, Table, time } from "./parts";

/** A machine or reader with a certificate. */
export interface Other {
  name: string;
  kind: string;
  fingerprint: string;
  ends: string;
  approved_by: string;
  revoked?: string;
  revoked_by?: string;
}

/** A certificate that ends soon, or has ended. */
export interface End {
  name: string;
  kind: string;
  ends: string;
  late?: boolean;
}

/** Certificates that end, with what to do. */
export function Ending({ list }: { list: End[] }) {
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{say("enrol.ending")}</h2>
      <Table
        caption={say("enrol.ending")}
        head={["enrol.name", "enrol.ends", "enrol.ending.what"]}
        rows={list.map((e) => [
          e.name,
          <span class="failed">
            {time(e.ends)}
            {Date.parse(e.ends) < Date.now() && ` ${say("enrol.over")}`}
          </span>,
          say(`enrol.ending.${e.kind}${e.late ? ".late" : ""}`, { name: e.name }),
        ])}
      />
    </section>
  );
}

/** Machines and readers with a certificate, which gatehouse identity issues. */
export function Others({ list, revoke }: { list: Other[]; revoke: (name: string) => void }) {
  const revoking = useSignal("");
  if (list.length === 0) return null;
  return (
    <section>
      <h2>{say("enrol.others")}</h2>
      <Table
        caption={say("enrol.others")}
        head={["enrol.name", "enrol.kind", "enrol.identity", "enrol.ends", "enrol.by", "enrol.do"]}
        rows={list.map((o) => [
          o.name,
          say(`enrol.kind.${o.kind}`),
          o.revoked ? (
            <span class="failed">
              {say("enrol.revoked", { by: o.revoked_by ?? "" })} <Moment at={o.revoked} />
            </span>
          ) : (
            o.fingerprint
          ),
          o.revoked ? "–" : time(o.ends),
          o.approved_by,
          o.revoked ? (
            ""
          ) : (
            <button
              type="button"
              onClick={() => {
                if (revoking.value === o.name) revoke(o.name);
                revoking.value = revoking.value === o.name ? "" : o.name;
              }}
            >
              {say(revoking.value === o.name ? "enrol.revoke.sure" : "enrol.revoke")}
            </button>
          ),
        ])}
      />
    </section>
  );
}
