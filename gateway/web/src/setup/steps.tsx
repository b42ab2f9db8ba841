import { useSignal } from "@preact/signals";
import { answers, ask, busy, has, look, say, set, view, refusal, wantsFile, type RowFault, type Sites } from "./model";
import { Choice, Field } from "./parts";

export function CountyStep() {
  const a = answers.value;
  return (
    <>
      <Field
        label={say("county.id")}
        hint={say("county.id.hint")}
        name="county"
        value={a.county}
        set={(county) => {
          set({ county });
        }}
      />
      <Field
        label={say("county.name")}
        hint={say("county.name.hint")}
        name="name"
        value={a.name}
        set={(name) => {
          set({ name });
        }}
      />
      <Field
        label={say("county.zone")}
        name="time_zone"
        value={a.time_zone}
        place="Asia/Shanghai"
        list={["Asia/Shanghai", "Asia/Urumqi"]}
        set={(time_zone) => {
          set({ time_zone });
        }}
      />
    </>
  );
}

function Ports() {
  const a = answers.value;
  const tls = a.address !== "";
  const desk = tls && a.tls.mode !== "proxy" ? 8443 : 8080;
  const port = (name: "desk" | "broker", usual: number) => (
    <Field
      label={say(`address.${name}`)}
      name={`port-${name}`}
      value={String(a.ports[name] || "")}
      place={say("address.usual", { port: usual })}
      set={(v) => {
        set({ ports: { ...a.ports, [name]: Number(v) || 0 } });
      }}
    />
  );
  return (
    <fieldset class="pair">
      <legend>{say("address.ports")}</legend>
      {port("desk", desk)}
      {port("broker", tls ? 8883 : 1883)}
    </fieldset>
  );
}

function Own() {
  const a = answers.value;
  return (
    <>
      {(["cert", "key", "ca"] as const).map((k) => (
        <Field
          key={k}
          label={say(`address.own.${k}`)}
          name={`tls-${k}`}
          value={a.tls[k] ?? ""}
          set={(v) => {
            set({ tls: { ...a.tls, [k]: v } });
          }}
        />
      ))}
    </>
  );
}

export function AddressStep() {
  const a = answers.value;
  const others = useSignal(a.address !== "");
  const mode = a.tls.mode ?? "made";
  const names = view.value?.names ?? [];
  return (
    <>
      <fieldset>
        <legend>{say("address.reach")}</legend>
        <Choice
          name="reach"
          label={say("address.others")}
          on={others.value}
          choose={() => {
            others.value = true;
            set({ address: a.address || (names[1] ?? names[0] ?? "") });
          }}
        >
          <Field
            label={say("address.name")}
            hint={say("address.name.hint")}
            name="address"
            value={a.address}
            list={names}
            set={(address) => {
              set({ address });
            }}
          />
          <fieldset>
            <legend>{say("address.cert")}</legend>
            {(["made", "own", "proxy"] as const).map((m) => (
              <Choice
                key={m}
                name="mode"
                label={say(`address.${m}`)}
                on={mode === m}
                choose={() => {
                  set({ tls: m === "made" ? {} : { mode: m } });
                }}
              >
                {m === "own" && <Own />}
              </Choice>
            ))}
          </fieldset>
        </Choice>
        <Choice
          name="reach"
          label={say("address.only")}
          on={!others.value}
          choose={() => {
            others.value = false;
            set({ address: "", tls: {} });
          }}
        />
      </fieldset>
      <Ports />
    </>
  );
}

/** The words for a row that is wrong. */
function Row({ of }: { of: RowFault }) {
  const key = `row.${of.code}`;
  return (
    <li>
      <b>{say("sites.line", { n: of.line })}</b>{" "}
      {has(key) ? say(key, { what: of.what ?? "" }) : <span lang="en">{of.text}</span>}
    </li>
  );
}

const most = 8 << 20; // as the program

export function SitesStep() {
  const bad = useSignal<Sites | null>(null);
  const failure = useSignal("");
  const file = wantsFile;
  const good = view.value?.sites;
  const send = async (f: File) => {
    bad.value = null;
    failure.value = f.size > most ? "error.large" : "";
    if (failure.value) return;
    busy.value = true;
    try {
      const said = await ask<Sites>("POST", `sites?name=${encodeURIComponent(f.name)}`, f);
      if (said && said.faults.length > 0) bad.value = said;
      await look();
    } catch (e) {
      failure.value = refusal(e);
    }
    busy.value = false;
  };
  return (
    <fieldset>
      <legend>{say("step.sites")}</legend>
      <Choice
        name="sites"
        label={say("sites.one")}
        on={!file.value}
        choose={() => {
          file.value = false;
          bad.value = null;
          void ask("DELETE", "sites").then(look, () => undefined);
        }}
      />
      <Choice
        name="sites"
        label={say("sites.file")}
        on={file.value}
        choose={() => {
          file.value = true;
        }}
      >
        <label>
          <b>{say("sites.choose")}</b>
          <input
            type="file"
            name="file"
            accept=".csv,.yaml,.yml"
            onChange={(e) => {
              const f = e.currentTarget.files?.[0];
              e.currentTarget.value = "";
              if (f) void send(f);
            }}
          />
          <small>{say("sites.hint")}</small>
        </label>
        {busy.value && <p role="status">{say("sites.reading")}</p>}
        {failure.value && (
          <p class="failed" role="alert">
            {say(failure.value)}
          </p>
        )}
        {bad.value && (
          <div class="rows" role="alert">
            <p class="failed">
              {say("sites.bad", { name: bad.value.name, n: bad.value.faults.length + (bad.value.more ?? 0) })}
            </p>
            <ul>
              {bad.value.faults.map((f, i) => (
                <Row key={i} of={f} />
              ))}
            </ul>
            {!!bad.value.more && <p>{say("sites.more", { n: bad.value.more })}</p>}
          </div>
        )}
        {good && !bad.value && (
          <p class="good" role="status">
            {say("sites.good", { name: good.name, compounds: good.compounds, gates: good.gates })}
          </p>
        )}
      </Choice>
    </fieldset>
  );
}
