// Walks over every state of the guard's screen: nothing is cut off, the order can be read from two metres, the buttons
// fit gloves, and nothing is inaccessible; in both languages, at both sizes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, laidOut, overflows, shot } from "./look.mjs";
import { home, openPlayed } from "./played.mjs";
import { kioskStates, noon } from "./states.mjs";
import { sizes, startBrowser } from "./world.mjs";

const parts =
  "#headline, #value, #note, #phones, #phones dd, #order, #line, #strips p, #buttons button, header > *, #lamps li, " +
  "aside, aside h2, aside li, aside li > *";
const states = kioskStates();

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

for (const lang of ["zh", "en"]) {
  test(`each state fits, says what to do and is accessible, in ${lang}`, async () => {
    const page = await openPlayed(browser, "kiosk", sizes.kiosk, lang, states[0].state, noon);
    await page.addScriptTag({
      content: `window.overflows = ${overflows}; window.tooSmall = ${tooSmall}; window.show = ${show};`,
    });
    const bad = [];
    for (const [size, box] of Object.entries({ 800: sizes.small, 1024: sizes.kiosk })) {
      await page.setViewportSize(box);
      await laidOut(page);
      bad.push(...(await page.evaluate(walk, { states, parts, noon, size })));
      if (process.env.SHOTS) for (const s of states) await pictured(page, s, `state-${s.name}-${lang}-${size}`);
    }
    assert.deepEqual(bad, []);
    const kinds = new Map(); // states with the same classes differ in words only
    for (const s of states) kinds.set(await page.evaluate(show, { ...s, noon }), s);
    for (const s of kinds.values()) {
      await page.evaluate(show, { ...s, noon });
      await accessible(page, `${s.name} in ${lang}`);
    }
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith(`request to ${home}/`)),
      [],
    );
    await page.context().close();
  });
}

async function pictured(page, s, name) {
  await page.evaluate(show, { ...s, noon });
  await laidOut(page);
  await shot(page, name);
}

/** In the page: shows a state, as if the agent had sent it, and returns the classes of the page. */
function show({ name, state, noon }) {
  const all = { ...state, view: { ...state.view, id: name } };
  window.gatehouse.live.take({ e: "1", n: 1, at: new Date(noon).toISOString(), all });
  return document.body.className;
}

/** In the page: what is wrong with the states. */
function walk({ states, parts, noon, size }) {
  return states.flatMap((s) => {
    const shown = window
      .show({ ...s, noon })
      .split(" ")
      .includes(s.state.view.look)
      ? []
      : ["it is not shown"];
    const small = size === "1024" ? window.tooSmall() : [];
    const codes = [...document.querySelectorAll("main *, aside *, footer *")]
      .filter((e) => e.children.length === 0 && /^[a-z-]+(\.[a-z-]+)+$/.test(e.textContent))
      .map((e) => `it has no words for ${e.textContent}`);
    return [...shown, ...window.overflows(parts), ...small, ...codes].map((x) => `${s.name} ${size}: ${x}`);
  });
}

/** In the page: what is too small for somebody in gloves, two metres away. */
function tooSmall() {
  const mm = 6.65; // px a millimetre of a 7 inch screen of 1024×600
  const out = [];
  const [order, buttons] = [document.getElementById("order"), document.querySelectorAll("#buttons button")];
  const size = parseFloat(getComputedStyle(order).fontSize);
  const line = parseFloat(getComputedStyle(order).lineHeight);
  if (!order.textContent) out.push("there is no order");
  if (line < 9 * mm || size < 53) out.push(`the order is ${size} px in ${line} px`);
  if (order.offsetHeight > 2 * line + 1) out.push(`the order has ${order.offsetHeight / line} lines`);
  const icon = document.getElementById("icon").getBoundingClientRect();
  const least = document.body.classList.contains("strips") ? 6 : 9;
  if (icon.height < least * mm) out.push(`the icon is ${icon.height} px`);
  if (buttons.length > 3) out.push(`${buttons.length} buttons`);
  for (const b of buttons) {
    const r = b.getBoundingClientRect();
    if (r.height < 19 * mm || r.width < 19 * mm) out.push(`${b.textContent}: ${r.width}×${r.height} px`);
  }
  return out;
}
