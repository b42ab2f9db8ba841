// Set-up in a browser of the county's computer, from an empty folder to the link for the desk's first user.
import "../desk/style.css";
import "./style.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { begin, busy, closed, faults, goTo, lang, look, say, step, steps, switchLang, view } from "./model";
import { Wrong } from "./parts";
import { CheckStep, End } from "./plan";
import { AddressStep, CountyStep, SitesStep } from "./steps";
import { StoreStep } from "./store";

const lookEvery = 500; // ms, while files are written and the collector starts

function Top() {
  return (
    <header class="top">
      <h1>{say("title")}</h1>
      <a class="manual" href={`./help/?lang=${lang.value}`} target="_blank" rel="noreferrer">
        {say("help")}
      </a>
      <button type="button" class="lang" aria-label={say("lang.label")} onClick={switchLang}>
        {say("lang")}
      </button>
    </header>
  );
}

/** The page for who may not answer: why, and what to do. */
function Closed() {
  return (
    <main class="outside">
      <section role="alert">
        <h2>{say(`closed.${closed.value}`)}</h2>
        <p>{say(`closed.${closed.value}.text`)}</p>
      </section>
    </main>
  );
}

const parts = { county: CountyStep, address: AddressStep, sites: SitesStep, store: StoreStep, check: CheckStep };

function Questions() {
  const at = steps.indexOf(step.value);
  const Part = parts[step.value];
  const next = steps[at + 1];
  const back = steps[at - 1];
  return (
    <main class="setup">
      <p class="intro">{say("intro")}</p>
      <ol class="steps">
        {steps.map((s, i) => (
          <li key={s} aria-current={i === at ? "step" : undefined} class={i < at ? "past" : ""}>
            {say(`step.${s}`)}
          </li>
        ))}
      </ol>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (next && !busy.value) void goTo(next);
        }}
      >
        <section>
          <h2>{say(`step.${step.value}`)}</h2>
          <Wrong of={faults.value} />
          <Part key={step.value} />
        </section>
        <div class="row buttons">
          {back && (
            <button type="button" disabled={busy.value} onClick={() => void goTo(back)}>
              {say("back")}
            </button>
          )}
          {next && (
            <button type="submit" class="main" disabled={busy.value}>
              {say("next")}
            </button>
          )}
        </div>
      </form>
    </main>
  );
}

function App() {
  const phase = view.value?.phase;
  useEffect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
    document.title = say("title");
  }, [lang.value]);
  useEffect(() => {
    if (phase !== "writing" && phase !== "starting") return;
    const timer = setInterval(() => void look().catch(() => undefined), lookEvery);
    return () => {
      clearInterval(timer);
    };
  }, [phase]);
  return (
    <>
      <Top />
      {closed.value ? (
        <Closed />
      ) : !view.value ? null : phase === "asking" ? (
        <Questions />
      ) : (
        <main class="setup">
          <End of={view.value} />
        </main>
      )}
    </>
  );
}

const root = document.getElementById("app");
if (root) {
  root.replaceChildren(); // what is said when this script does not come
  render(<App />, root);
}
void begin();
