// The guard's screen for somebody who can't tell red from green: what the states look like to them is computed, and
// the states are compared with each other. Chromium's own simulation, in which they are photographed, agrees.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { contrast, luminance, pixel, shot } from "./look.mjs";
import { openPlayed } from "./played.mjs";
import { kioskStates, noon } from "./states.mjs";
import { sizes, startBrowser } from "./world.mjs";

// Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009), at
// severity 1, for linear RGB.
const machado = {
  none: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

const linear = (c) => (c <= 10.31 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const coded = (c) => 255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);
const seenBy = (matrix, rgb) => {
  const from = rgb.map(linear);
  return matrix.map((row) =>
    coded(
      Math.min(
        1,
        Math.max(
          0,
          row.reduce((sum, x, i) => sum + x * from[i], 0),
        ),
      ),
    ),
  );
};

/** CIE 1976 L*a*b* of an sRGB colour (D65). */
function lab(rgb) {
  const [r, g, b] = rgb.map(linear);
  const xyz = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
    0.2126 * r + 0.7152 * g + 0.0722 * b,
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ];
  const [x, y, z] = xyz.map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const distance = (a, b) => Math.hypot(...lab(a).map((x, i) => x - lab(b)[i]));

let browser, page;
const colours = {};
const states = Object.fromEntries(kioskStates().map((s) => [s.name, s.state]));
const shown = { idle: "light", tapped: "blue", pass: "go", "too-cold": "amber", fever: "red" };

before(async () => {
  browser = await startBrowser();
  page = await openPlayed(browser, "kiosk", sizes.kiosk, "zh", states.idle, noon);
  for (const [name, tone] of Object.entries(shown)) {
    await show(name, tone);
    colours[tone] = await page.evaluate(() => {
      const rgb = (text) => text.match(/\d+/g).slice(0, 3).map(Number);
      const style = (id) => getComputedStyle(document.getElementById(id));
      return {
        ground: rgb(style("main").backgroundColor),
        frame: rgb(style("main").borderTopColor),
        headline: rgb(style("headline").color),
        order: rgb(style("order").color),
      };
    });
  }
});
after(() => browser?.close());

async function show(name, tone) {
  page.put({ ...states[name], view: { ...states[name].view, id: name } });
  await page.waitForFunction((t) => document.body.classList.contains(t), tone);
}

for (const [who, matrix] of Object.entries(machado)) {
  const as = (tone, part) => seenBy(matrix, colours[tone][part]);

  test(`texts can be read on their ground: ${who}`, () => {
    for (const tone of Object.keys(colours))
      for (const part of ["headline", "order"]) {
        const c = contrast(as(tone, part), as(tone, "ground"));
        assert.ok(c >= 4.5, `${part} in ${tone}: ${c.toFixed(1)}`);
      }
  });

  test(`a pass is light, an alarm is dark, and what asks to try again is neither: ${who}`, () => {
    for (const calm of ["light", "blue", "go"]) {
      const c = contrast(as(calm, "ground"), as("red", "ground"));
      assert.ok(c >= 4.5, `${calm} and red: ${c.toFixed(1)}`);
      const d = distance(as(calm, "ground"), as("amber", "ground"));
      assert.ok(d >= 50, `${calm} and amber: ${d.toFixed(0)}`);
    }
    const c = contrast(as("amber", "ground"), as("red", "ground"));
    assert.ok(c >= 3, `amber and red: ${c.toFixed(1)}`);
  });

  test(`a pass has another frame than what is asked for, and than none: ${who}`, () => {
    for (const [a, b] of [
      ["go", "blue"],
      ["go", "light"],
      ["blue", "light"],
    ]) {
      const d = distance(as(a, "frame"), as(b, "frame"));
      assert.ok(d >= 30, `${a} and ${b}: ${d.toFixed(0)}`);
    }
  });
}

test("Chromium's simulation shows the same, and is photographed", async () => {
  const cdp = await page.context().newCDPSession(page);
  for (const [name, tone] of Object.entries(shown)) {
    await show(name, tone);
    for (const type of ["deuteranopia", "protanopia"]) {
      const is = await pixel(page, 22, 300, type); // beside the icon
      const want = seenBy(machado[type], colours[tone].ground);
      const off = Math.abs(luminance(is) - luminance(want));
      assert.ok(off < 0.08, `${tone}, ${type}: ${is}, computed ${want.map(Math.round)}`);
      if (!process.env.SHOTS) continue;
      await cdp.send("Emulation.setEmulatedVisionDeficiency", { type });
      await shot(page, `colours-${name}-${type}`);
      await cdp.send("Emulation.setEmulatedVisionDeficiency", { type: "none" });
    }
  }
});
