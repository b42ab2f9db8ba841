import "./style.css";
import { ExplainDialog } from "./explain";
import { render } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { AckForm, AlertsPage } from "./alerts";
import { AuditPage } from "./audit";
import { ChecksPage } from "./checks";
import { ConsentsPage } from "./consents";
import {
  age,
  centre,
  clock,
  cut,
  expired,
  fed,
  lang,
  logout,
  may,
  path,
  say,
  switchLang,
  totals,
  tree,
  unreachable,
  user,
  whoami,
} from "./model";
import { EndPage } from "./end";
import { EnrolPage } from "./enrol";
import { Counts, Overview } from "./overview";
import { Credentials, LoginAgain } from "./login";
import { MachinesPage } from "./machines";
import { NoticesPage } from "./notices";
import { AccountPage } from "./account";
import { ConfirmDialog, ConfirmedPage } from "./confirm";
import { GatePage, LossesPage } from "./pages";
import { RulesPage } from "./rules";
import { UsersPage } from "./users";
import { Help, Link, time, troubleText } from "./parts";
import { RunPage } from "./run";
import { VersionsPage } from "./versions";
import type { Trouble } from "./types";

/** The age of what is shown: amber after 10 s, red after 30 s. */
function Age() {
  const old = age.value;
  const tone = old > 30_000 ? "red" : old > 10_000 ? "amber" : "";
  return (
    <span class={`until ${tone}`} role={tone ? "alert" : undefined}>
      {say(tone ? "data.stopped" : "data.until", { time: time(new Date(clock.value - old).toISOString()) })}
    </span>
  );
}

function Top() {
  const losses = (totals.value?.quarantined ?? 0) + (totals.value?.lost ?? 0);
  return (
    <header class="top">
      <h1>{tree.value?.name || say("title")}</h1>
      <nav>
        <Link to="/">{say("nav.overview")}</Link>
        <Link to="/alerts">{say("nav.alerts")}</Link>
        <Link to="/machines">{say("nav.machines")}</Link>
        <Link to="/checks">{say("nav.checks")}</Link>
        <Link to="/notices">{say("nav.notices")}</Link>
        {(may("losses") || may("retention")) && (
          <Link to="/losses">
            {say(may("losses") ? "nav.losses" : "kept.title")}
            {may("losses") && losses > 0 && <b class="badge">{losses}</b>}
          </Link>
        )}
        <Manage />
        <Link to="/account">{say("nav.account")}</Link>
        <Help />
      </nav>
      {fed.value && <Age />}
      <button
        type="button"
        onClick={() => {
          void logout();
        }}
      >
        {say("logout")} · {user.value}
      </button>
      <Lang />
    </header>
  );
}

/** The pages for whom the county is managed by: many of them are in a menu. */
const managed = [
  ["rules", "/rules"],
  ["enrol", "/enrol"],
  ["upgrade", "/versions"],
  ["people", "/users"],
  ["agree", "/consents"],
  ["audit", "/audit"],
  ["end", "/end"],
] as const;

function Manage() {
  const open = useSignal(false);
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const shut = (e: Event) => {
      const away = e instanceof KeyboardEvent ? e.key === "Escape" : !box.current?.contains(e.target as HTMLElement);
      if (away) open.value = false;
    };
    const events = ["click", "keydown", "focusin"];
    for (const e of events) document.addEventListener(e, shut);
    return () => {
      for (const e of events) document.removeEventListener(e, shut);
    };
  }, []);
  const mine = managed.filter(([act]) => may(act));
  const links = mine.map(([, to]) => (
    <Link key={to} to={to}>
      {say(`nav.${to.slice(1)}`)}
    </Link>
  ));
  if (mine.length <= 3) return <>{links}</>;
  return (
    <details ref={box} class="menu" open={open.value}>
      <summary
        class={mine.some(([, to]) => to === path.value) ? "here" : ""}
        onClick={(e) => {
          e.preventDefault();
          open.value = !open.value;
        }}
      >
        {say("nav.manage")}
      </summary>
      <div
        onClick={() => {
          open.value = false;
        }}
      >
        {links}
      </div>
    </details>
  );
}

function Lang() {
  return (
    <button
      type="button"
      class="lang"
      lang={lang.value === "zh" ? "en" : "zh-CN"}
      aria-label={say("lang.label")}
      onClick={switchLang}
    >
      {say("lang")}
    </button>
  );
}

function Page() {
  const gate = /^\/gates\/(.+)$/.exec(path.value)?.[1];
  if (gate !== undefined) return <GatePage key={gate} agent={decodeURIComponent(gate)} />;
  const machine = /^\/machines\/(.+)$/.exec(path.value)?.[1];
  if (machine !== undefined) return <MachinesPage key={machine} machine={decodeURIComponent(machine)} />;
  const [, of, run] = /^\/runs\/([^/]+)\/([^/]+)$/.exec(path.value) ?? [];
  if (of !== undefined && run !== undefined)
    return <RunPage key={run} machine={decodeURIComponent(of)} run={decodeURIComponent(run)} />;
  switch (path.value) {
    case "/alerts":
      return <AlertsPage />;
    case "/audit":
      return <AuditPage />;
    case "/checks":
      return <ChecksPage />;
    case "/confirmed":
      return <ConfirmedPage />;
    case "/consents":
      return may("agree") ? <ConsentsPage /> : <p class="empty">{say("error.role")}</p>;
    case "/end":
      return may("end") ? <EndPage /> : <p class="empty">{say("error.role")}</p>;
    case "/enrol":
      return <EnrolPage />;
    case "/losses":
      return <LossesPage />;
    case "/machines":
      return <MachinesPage machine="" />;
    case "/notices":
      return <NoticesPage />;
    case "/rules":
      return may("rules") ? <RulesPage /> : <p class="empty">{say("error.role")}</p>;
    case "/users":
      return may("people") ? <UsersPage /> : <p class="empty">{say("error.role")}</p>;
    case "/versions":
      return may("upgrade") ? <VersionsPage /> : <p class="empty">{say("error.role")}</p>;
    case "/account":
      return <AccountPage />;
  }
  return fed.value ? <Overview /> : <p class="empty">{say("data.loading")}</p>;
}

/** A trouble of the county's own side. Gates that are silent and messages in quarantine are counted below it. */
function Banner({ of }: { of: Trouble }) {
  if (of.advice === "gates-silent" || of.kind === "quarantine") return null;
  return (
    <p class={`banner ${of.problem ? "red" : "amber"}`} role={of.problem ? "alert" : "status"}>
      {troubleText(of)} <Help kind={of.kind} about={troubleText(of)} />
    </p>
  );
}

function App() {
  useEffect(() => {
    document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
    document.title = say("title");
  }, [lang.value]);
  if (user.value === null)
    return (
      <main class="outside">
        {unreachable.value ? (
          <p class="empty failed" role="alert">
            {say("data.failed")}: {unreachable.value}
          </p>
        ) : (
          <p class="empty">{say("data.loading")}</p>
        )}
      </main>
    );
  if (!user.value && !expired.value) {
    return (
      <main class="outside">
        <div class="corner">
          <Lang />
        </div>
        <h1>{say("title")}</h1>
        <Credentials setup={path.value === "/setup"} />
      </main>
    );
  }
  const c = centre.value;
  return (
    <>
      <Top />
      {c?.troubles?.map((t) => (
        <Banner key={t.kind} of={t} />
      ))}
      {age.value > 30_000 && (
        <p class="banner red" role="alert">
          {say("data.stopped", { time: time(new Date(clock.value - age.value).toISOString()) })}
        </p>
      )}
      {cut.value && (
        <p class="banner red" role="alert">
          {say("live.cut")}
        </p>
      )}
      {fed.value && <Counts />}
      <main>
        <Page />
      </main>
      <footer>
        {c &&
          [
            c.store,
            c.keeps && say("centre.keeps", { what: c.keeps }),
            c.stored ? say("centre.stored", { time: time(c.stored) }) : "–",
            c.backup && say("centre.backup", { time: time(c.backup) }),
            c.version,
          ]
            .filter(Boolean)
            .join(" · ")}
      </footer>
      <AckForm />
      <ExplainDialog />
      <ConfirmDialog />
      {!user.value && <LoginAgain />}
    </>
  );
}

const root = document.getElementById("app");
if (root) {
  root.replaceChildren(); // what is said when this script does not come
  render(<App />, root);
}
void whoami();
