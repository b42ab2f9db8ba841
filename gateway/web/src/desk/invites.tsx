import { useSignal } from "@preact/signals";
import { post, say, words_for } from "./model";
import { Table, time, useData, Waiting } from "./parts";

interface Invitation {
  id: string;
  role?: string;
  user?: string;
  by?: string;
  until: string;
}

/** The links that nobody has used yet. round changes when there is another one. */
export function Invites({ round }: { round: string }) {
  const data = useData<Invitation[]>("/api/invites", 5);
  const failure = useSignal("");
  const withdraw = async (id: string) => {
    failure.value = "";
    try {
      await post("/api/invite/withdraw", { id });
    } catch (e) {
      failure.value = words_for(e);
    }
    data.again();
  };
  if (data.data?.length === 0) return null;
  return (
    <div key={round}>
      <h3>{say("users.open")}</h3>
      <Waiting of={data} />
      {failure.value && (
        <p class="failed" role="alert">
          {failure.value}
        </p>
      )}
      {data.data && (
        <Table
          caption={say("users.open")}
          head={["users.open.for", "users.open.by", "users.open.until", "col.do"]}
          rows={data.data.map((i) => [
            i.user ? say("users.open.reset", { name: i.user }) : say(`people.role.${i.role ?? ""}`),
            i.by ?? say("tokens.terminal"),
            <time dateTime={i.until}>{time(i.until)}</time>,
            <button type="button" class="withdraw" onClick={() => void withdraw(i.id)}>
              {say("users.withdraw")}
            </button>,
          ])}
        />
      )}
    </div>
  );
}
