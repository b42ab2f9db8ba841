// Walks over every state of the guard's screen: nothing is cut off, the order can be read from two metres, the buttons
// fit gloves, and nothing is inaccessible; in both languages, at both sizes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, laidOut, shot } from "./look.mjs";
import { home, openPlayed } from "./played.mjs";
import { kioskStates, noon } from "./states.mjs";
import { sizes, startBrowser } from "./world.mjs";

const parts =
  "#headline, #value, #note, #phones, #phones dd, #order, #line, #strips p, #buttons button, header > *, #lamps li, " +
  "aside, aside h2, aside li, aside li > *";
const mm = 6.65; // px a millimetre of a 7 inch screen of 1024×600

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

for (const lang of ["zh", "en"]) {
  test(`each state fits, says what to do and is accessible, in ${lang}`, async () => {
    const states = kioskStates();
    const page = await openPlayed(browser, "kiosk", sizes.kiosk, lang, states[0].state, noon);
    const bad = [];
    for (const { name, state } of states) {
      page.put({ ...state, view: { ...state.view, id: name } });
      await page.waitForFunction((look) => document.body.classList.contains(look), state.view.look);
      for (const [size, box] of [
        ["1024", sizes.kiosk],
        ["800", sizes.small],
      ]) {
        await page.setViewportSize(box);
        await laidOut(page);
        await fits(page, `${name} ${lang} ${size}`, parts).catch((e) => bad.push(e.message));
        await shot(page, `state-${name}-${lang}-${size}`);
      }
      await page.setViewportSize(sizes.kiosk);
      await laidOut(page);
      bad.push(...(await measured(page)).map((x) => `${name} ${lang}: ${x}`));
    }
    assert.deepEqual(bad, []);
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith(`request to ${home}/`)),
      [],
    );
    await page.context().close();
  });
}

/** What is too small for somebody in gloves, two metres away. */
const measured = (page) =>
  page.evaluate((mm) => {
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
  }, mm);
