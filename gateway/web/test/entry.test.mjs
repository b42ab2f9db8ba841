import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fits, inspectState, laidOut, shot } from "./look.mjs";
import { openPage, sizes, startBrowser, startDemo, until } from "./world.mjs";

let demo, browser, page;
before(async () => {
  demo = await startDemo({ gates: 20 });
  browser = await startBrowser();
  page = await openPage(browser, sizes.kiosk, demo.kiosk);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const classes = async () => (await page.evaluate(() => document.body.className)).split(" ");
const seen = (look, ms) => until(look, async () => (await classes()).includes(look), ms);
const text = (id) => page.textContent(`#${id}`);
const poke = (what) => demo.poke(demo.gate, what);
const type = async (digits) => {
  for (const d of digits) await page.keyboard.press(d);
};
const open = async (button) => {
  await page.click(`#buttons button:has-text("${button}")`);
  await seen("padded", 2000);
};

const inspect = (name) =>
  inspectState(page, name, "#pad, #pad h2, #pad p, #pad button, #buttons button", async (lang) => {
    if (name === "entry") assert.match(await text("padwho"), lang === "zh" ? /居民/ : /^[^一-龥]*resident/i);
  });

test("somebody too cold to judge passes with what the contact thermometer shows", async () => {
  await seen("idle");
  await poke("cold");
  await seen("invalid");
  await inspectAmber("invalid");
  await poke("cold");
  await seen("invalid");
  await open("输入体温计读数");
  assert.equal(await text("padvalue"), "__._ °C");
  // 19 mm at 6.65 dots a millimetre are 126 px.
  for (const b of await page.$$("#pad button:visible")) {
    const box = await b.boundingBox();
    assert.ok(box.height >= 126 && box.width >= 126, `${await b.textContent()}: ${box.width}x${box.height}`);
  }
  await page.click('.choice button:has-text("体温计")');
  for (const d of ["3", "6", "6"]) await page.click(`#padkeys button:text-is("${d}")`);
  assert.equal(await text("padvalue"), "36.6 °C");
  await inspect("entry");
  await page.click("#paddo button");
  await seen("pass", 4000);
  assert.match(await text("value"), /^36\.6°C$/);
  assert.match(await text("line"), /体温计/);
  await shot(page, "kiosk-entered-pass-zh-1024");
  await seen("idle", 20_000); // the pass is shown for some seconds
});

async function inspectAmber(name) {
  await fits(page, name, "#headline, #value, #order, #line, #buttons button");
  await shot(page, `kiosk-${name}-enter-zh-1024`);
  await page.setViewportSize(sizes.small);
  await laidOut(page);
  await fits(page, `${name} small`, "#headline, #value, #order, #line, #buttons button");
  await page.setViewportSize(sizes.kiosk);
  await page.click("#lang");
  await laidOut(page);
  await fits(page, `${name} en`, "#headline, #value, #order, #line, #buttons button");
  await shot(page, `kiosk-${name}-enter-en-1024`);
  await page.click("#lang");
}

test("63.8 is refused with words, and nothing is sent", async () => {
  await seen("idle", 15_000);
  await open("输入体温计读数");
  await type("638");
  assert.match(await text("padwrong"), /只能是 34.0 到 42.9/);
  await inspect("entry-range");
  await page.keyboard.press("Enter");
  assert.ok((await classes()).includes("padded"));
  await type("367"); // the next digit begins anew
  assert.equal(await text("padvalue"), "36.7 °C");
  await page.keyboard.press("Backspace");
  assert.equal(await text("padvalue"), "36._ °C");
  await page.keyboard.press("Escape");
  await until("the keys to close", async () => !(await classes()).includes("padded"));
  const refused = await fetch(`${demo.kiosk}/entry`, {
    method: "POST",
    body: JSON.stringify({ id: "", value: "63.8", with: "contact" }),
  });
  assert.equal(refused.status, 422);
  assert.match(await refused.text(), /63.80 °C is not a body temperature: enter 34.00 to 42.90/);
});

test("a red comes before the keys, which come back after it", async () => {
  await seen("idle", 15_000);
  await open("输入体温计读数");
  await type("36");
  await poke("fever");
  await seen("fever");
  assert.ok(!(await classes()).includes("padded"));
  await page.waitForSelector("#buttons button:not([disabled])");
  await page.keyboard.press("F1");
  await seen("padded", 5000);
  assert.equal(await text("padvalue"), "36._ °C");
  await page.keyboard.press("F3");
});

test("at a gate with several lanes the guard chooses one", async () => {
  await seen("idle", 15_000);
  await page.addInitScript(() => {
    const parse = JSON.parse;
    JSON.parse = (text, ...more) => {
      const lanes = (x) => {
        if (x && typeof x === "object") {
          if (x.look === "idle") x.lanes = ["west", "middle", "east"];
          for (const y of Object.values(x)) lanes(y);
        }
      };
      const x = parse(text, ...more);
      lanes(x);
      return x;
    };
  });
  await page.reload();
  await seen("idle", 10_000);
  await open("输入体温计读数");
  await type("365");
  await page.keyboard.press("F1");
  await until("the question", async () => /请先选通道/.test(await text("padwrong")), 2000);
  await inspect("entry-lanes");
  await page.click('.choice button:has-text("middle")');
  await page.keyboard.press("F1"); // this gate has no such lane
  await until("the refusal", async () => /重新刷卡/.test(await text("padwrong")), 2000);
  await page.keyboard.press("F3");
});

test("a gate whose thermometer is broken goes on by hand", async () => {
  await seen("idle", 15_000);
  await poke("unplug");
  await seen("fault", 20_000);
  await page.waitForSelector("#buttons button:not([disabled])");
  await page.keyboard.press("F1"); // the values are entered from now on
  await seen("padded", 8000);
  await page.keyboard.press("F3");
  await seen("idle", 20_000); // the pass is shown for some seconds
  await poke("tap");
  await seen("retest", 8000);
  await inspectAmber("no-thermometer");
  await poke("tap");
  await seen("retest", 8000);
  await open("输入体温计读数");
  assert.match(await text("padwho"), /居民/);
  await type("365");
  await page.keyboard.press("F1");
  await seen("pass", 4000);
});
