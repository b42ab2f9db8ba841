import { useSignal } from "@preact/signals";
import { answers, ask, busy, look, say, set, tell, token, view, refusal } from "./model";
import { Choice, Field } from "./parts";

export function StoreStep() {
  const a = answers.value;
  const influx = useSignal(a.influx.url !== undefined && a.influx.url !== "");
  const result = useSignal<{ ok: boolean; text: string } | null>(null);
  const put = (part: object) => {
    result.value = null;
    set({ influx: { ...a.influx, ...part } });
  };
  const attempt = async () => {
    busy.value = true;
    result.value = null;
    try {
      await tell();
      result.value = (await ask<{ ok: boolean; text: string }>("POST", "try")) ?? null;
      await look();
    } catch (e) {
      result.value = { ok: false, text: say(refusal(e)) };
    }
    busy.value = false;
  };
  return (
    <fieldset>
      <legend>{say("step.store")}</legend>
      <Choice
        name="store"
        label={say("store.sqlite")}
        on={!influx.value}
        choose={() => {
          influx.value = false;
          result.value = null;
          set({ influx: {} });
        }}
      />
      <Choice
        name="store"
        label={say("store.influx")}
        on={influx.value}
        choose={() => {
          influx.value = true;
          set({ influx: { url: "http://127.0.0.1:8086", bucket: "gatehouse" } });
        }}
      >
        {(["url", "org", "bucket"] as const).map((k) => (
          <Field
            key={k}
            label={say(`store.${k}`)}
            name={`influx-${k}`}
            value={a.influx[k] ?? ""}
            set={(v) => {
              put({ [k]: v });
            }}
          />
        ))}
        <Field
          label={say("store.token")}
          name="influx-token"
          secret
          value={token.value}
          place={view.value?.token ? say("store.token.kept") : ""}
          set={(v) => {
            token.value = v;
            result.value = null;
          }}
        />
        <button type="button" class="try" disabled={busy.value} onClick={() => void attempt()}>
          {say(busy.value ? "store.trying" : "store.try")}
        </button>
        {result.value?.ok && (
          <p class="good" role="status">
            {say("store.good")}
          </p>
        )}
        {result.value && !result.value.ok && (
          <p class="failed" role="alert">
            {say("store.bad")} <span class="said">{result.value.text}</span>
          </p>
        )}
      </Choice>
    </fieldset>
  );
}
