// Walks over what the guard opens over the screen: nothing is cut off, the buttons fit gloves, all is reached with F1
// to F3, and nothing is inaccessible; in both languages, at both sizes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, fits, laidOut, shot } from "./look.mjs";
import { home, openPlayed } from "./played.mjs";
import { renderManual } from "../manual.mjs";
import { on, people, sheetStates } from "./sheets.mjs";
import { kioskStates, noon } from "./states.mjs";
import { sizes, startBrowser, until } from "./world.mjs";

const states = Object.fromEntries(kioskStates().map((s) => [s.name, s.state]));
const parts = "#post h2, #post li, #post button, #padleft > *, #pad h2, #pad p, #pad button";

const manual = (lang) => renderManual().get(`${lang}/guard.html`);

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const open = (lang, state) => openPlayed(browser, "kiosk", sizes.kiosk, lang, state, noon);

/** In the page: shows a state, as if the agent had sent it, with nothing open. */
function show({ state, noon, red }) {
  const send = (all) => window.gatehouse.live.take({ e: "1", n: 1, at: new Date(noon).toISOString(), all });
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" })); // closes the pad
  send(red); // closes the menu
  send(state);
}

async function shown(page, s) {
  await page.evaluate(show, { state: { ...s.state, view: { ...s.state.view, id: s.name } }, noon, red: states.fever });
  await page.evaluate((keys) => {
    for (const key of keys) document.dispatchEvent(new KeyboardEvent("keydown", { key }));
  }, s.keys);
  await laidOut(page);
}

for (const lang of ["zh", "en"]) {
  test(`each sheet fits, and its buttons fit gloves, in ${lang}`, async () => {
    const page = await open(lang, states.idle);
    for (const [size, box] of Object.entries({ 800: sizes.small, 1024: sizes.kiosk })) {
      await page.setViewportSize(box);
      for (const s of sheetStates()) {
        await shown(page, s);
        assert.equal(await page.locator("#post:visible, #pad:visible").count(), 1, `${s.name} ${lang} is not shown`);
        await fits(page, `${s.name} ${lang} ${size}`, parts);
        await shot(page, `sheet-${s.name}-${lang}-${size}`);
        if (size !== "1024") continue;
        assert.deepEqual(await page.evaluate(tooSmall), [], `${s.name} ${lang}`);
        await accessible(page, `${s.name} in ${lang}`);
      }
    }
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith(`request to ${home}/`)),
      [],
    );
    await page.context().close();
  });
}

/** In the page: buttons of less than 19 mm, or with more text than fits; a millimetre is 6.65 px of a 7 inch screen of 1024×600. */
function tooSmall() {
  return [...document.querySelectorAll("#post button, #pad button")]
    .filter((b) => b.offsetParent !== null)
    .map((b) => [b, b.getBoundingClientRect()])
    .filter(([b, r]) => r.height < 126 || r.width < 126 || b.scrollHeight > b.clientHeight)
    .map(([b, r]) => `${b.textContent}: ${r.width}×${r.height} px, its text is ${b.scrollHeight} px high`);
}

test("three keys do all that a guard does besides answering", async () => {
  const page = await open("zh", { ...states.idle, post: on });
  await page.waitForSelector("body.idle");
  for (const [keys, want] of [
    ["F2 F2 F2 F1 F2", ["/override", { passage: people[0].seq, reason: "fire" }]],
    ["F2 F1 F2 F2 F1 F2 F3 F1", ["/hand-over", { notes: ["all-quiet", "somebody-waits"] }]],
    ["F2 F1 F2 F3 F2", ["/press", { id: "", action: "sign-out" }]],
    ["F2 F1 F1 F1 F2", ["/press", { id: "", action: "muted" }]],
    ["F2 F1 F1 F1 F1 F2", ["/check", { device: "thermometer", do: "begin" }]],
    ["F2 F1 F1 F2", ["/press", { id: "menu", action: "shift-test" }]],
  ]) {
    await shown(page, { name: "menu", state: { ...states.idle, post: on }, keys: keys.split(" ") });
    await until(`what ${keys} does`, () => page.posts.length > 0);
    assert.deepEqual(page.posts, [want], keys);
    await until("the sheet to close", () => page.isHidden("#post"));
    page.posts.length = 0;
  }
  await page.context().close();
});

test("who is asked whether they are there still sees who comes, and answers with one key", async () => {
  const asked = { ...on, asked: new Date(noon + 240_000).toISOString() };
  const page = await open("zh", { ...states.idle, post: asked });
  await page.waitForSelector("#post.asked");
  page.put({ ...states.pass, post: asked });
  await page.waitForSelector("body.pass");
  assert.ok(await page.isHidden("#post"));
  await page.keyboard.press("F1");
  await until("the answer", () => page.posts.length > 0);
  assert.deepEqual(page.posts, [["/press", { id: states.pass.view.id, action: "still-here" }]]);
  page.put({ ...states.invalid, ...states["too-cold"], post: asked });
  await page.waitForSelector("body.invalid");
  assert.match(await page.textContent("#buttons"), /输入体温计读数/); // any key answers the question
  await page.context().close();
});

test("a red closes the menu, and what is open for a minute closes by itself", async () => {
  const page = await open("zh", { ...states.idle, post: on });
  await page.addInitScript(() => {
    const real = performance.now.bind(performance);
    window.later = 0; // ms by which the page's clock is ahead
    performance.now = () => real() + window.later;
  });
  await page.reload();
  const menu = async () => {
    await page.waitForSelector("body.idle");
    await page.keyboard.press("F2");
    await page.waitForSelector("#post.menu");
  };
  await menu();
  page.put({ ...states.fever, post: on });
  await page.waitForSelector("body.fever");
  page.put({ ...states.idle, post: on });
  await page.waitForSelector("body.idle");
  assert.ok(await page.isHidden("#post"));
  await menu();
  await page.evaluate(() => (window.later = 59_000));
  page.put({ ...states.pass, post: on });
  await page.waitForSelector("body.pass");
  assert.ok(await page.isVisible("#post"));
  await page.evaluate(() => (window.later = 61_000));
  await page.waitForSelector("#post", { state: "hidden" });
  await page.context().close();
});

test("the manual is found, read and left with three keys, and gives way to whoever comes", async () => {
  for (const lang of ["zh", "en"]) {
    const page = await open(lang, { ...states.idle, post: on });
    await page.route(`${home}/help/**`, (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname.endsWith(".html")) return route.fulfill({ body: manual(lang), contentType: "text/html" });
      return route.fulfill({ path: new URL(`../../../deploy/manual${pathname.slice(5)}`, import.meta.url).pathname });
    });
    await page.waitForSelector("body.idle");
    const press = async (keys) => {
      for (const key of keys.split(" ")) await page.keyboard.press(key);
      await laidOut(page);
    };
    await press("F2 F1 F1 F1 F1 F1 F2");
    await until("the sections", async () => (await page.$$("#posttiles button")).length === 8);
    for (const [size, box] of Object.entries({ 800: sizes.small, 1024: sizes.kiosk })) {
      await page.setViewportSize(box);
      await fits(page, `the manual's sections ${lang} ${size}`, parts);
      await shot(page, `sheet-help-${lang}-${size}`);
    }
    assert.deepEqual(await page.evaluate(tooSmall), [], lang);
    await press("F1 F1 F1 F1 F2");
    await page.waitForSelector("#post.section");
    await until("the picture", () => page.$eval("#posttext img", (i) => i.complete && i.naturalWidth > 0));
    const at = () => page.$eval("#posttext", (e) => e.scrollTop);
    await press("F1");
    assert.ok((await at()) > 100);
    await shot(page, `sheet-section-${lang}-1024`);
    await accessible(page, `a section of the manual in ${lang}`);
    await press("F2");
    assert.equal(await at(), 0);
    await press("F3 F3 F3");
    assert.ok(await page.isHidden("#post"));
    await press("F2 F1 F1 F1 F1 F1 F2");
    await page.waitForSelector("#post.help");
    page.put({ ...states.pass, post: on });
    await page.waitForSelector("body.pass");
    assert.ok(await page.isHidden("#post"));
    await page.context().close();
  }
});
