// Checks for the tests of both screens.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";

const folder = process.env.SHOTS; // screenshots go there, when it is set

export async function shot(page, name) {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Returns when the page has been laid out anew, such as for another size. */
export const laidOut = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

export async function accessible(page, what) {
  const found = await new AxeBuilder({ page })
    .setLegacyMode(true)
    .withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"])
    .analyze();
  assert.deepEqual(
    found.violations.map(
      (v) =>
        `${v.id}: ${v.nodes
          .map((n) => n.html)
          .slice(0, 3)
          .join(" | ")}`,
    ),
    [],
    what,
  );
}

/** In a page: what is cut off, lies outside its part of the screen, or lies over something else. */
export const overflows = (selector) =>
  [...document.querySelectorAll(selector)]
    .filter((e) => e.offsetParent !== null)
    .flatMap((e) => {
      const r = e.getBoundingClientRect();
      const out = [];
      const inside = (e.closest("main, footer, header, aside, dialog") ?? document.body).getBoundingClientRect();
      if (e.scrollWidth > e.clientWidth + 1)
        out.push(
          `${e.id || e.className}: ${e.textContent} is ${e.scrollWidth}x${e.scrollHeight} ` +
            `in ${e.clientWidth}x${e.clientHeight}`,
        );
      if (
        r.right > inside.right + 1 ||
        r.bottom > inside.bottom + 1 ||
        r.left < inside.left - 1 ||
        r.top < inside.top - 1
      )
        out.push(`${e.id || e.className}: ${e.textContent} at ${r.left},${r.top},${r.right},${r.bottom}`);
      for (const [a, b] of [
        ["#headline", "#row"],
        ["#icon", "#value"],
        ["#value", "#order"],
        ["#icon", "#order"],
        ["#note", "#order"],
        ["#strips", "#headline"],
      ]) {
        const [x, y] = [document.querySelector(a), document.querySelector(b)].map((n) =>
          n?.offsetParent && n.textContent !== undefined && n.getClientRects().length
            ? n.getBoundingClientRect()
            : null,
        );
        if (
          x &&
          y &&
          y.height &&
          x.bottom > y.top + 4 &&
          x.top < y.bottom - 4 &&
          x.right > y.left + 4 &&
          x.left < y.right - 4
        )
          out.push(`${a} lies over ${b}`);
      }
      return out;
    });

/** Nothing is cut off: no text is wider or higher than its box, and nothing lies outside the screen. */
export async function fits(page, what, selector) {
  assert.deepEqual(await page.evaluate(overflows, selector), [], what);
}

/** Checks what every state must fulfil, in both languages and at both sizes. The page shows it in Chinese. */
export async function inspectState(page, name, parts, also = async () => {}) {
  for (const lang of ["zh", "en"]) {
    if ((await page.evaluate(() => document.documentElement.lang)).startsWith("zh") !== (lang === "zh"))
      await page.click("#lang");
    for (const [size, width, height] of [
      ["1024", 1024, 600],
      ["800", 800, 480],
    ]) {
      await page.setViewportSize({ width, height });
      await laidOut(page);
      await fits(page, `${name} ${lang} ${size}`, parts);
      await shot(page, `kiosk-${name}-${lang}-${size}`);
    }
    await page.setViewportSize({ width: 1024, height: 600 });
    await accessible(page, `${name} in ${lang}`);
    await also(lang);
  }
  await page.click("#lang");
  await fonts(page, "#headline");
}

/** No character is drawn as an empty box: each text has a real font. */
export async function fonts(page, selector) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const { root } = await cdp.send("DOM.getDocument");
  const { nodeId } = await cdp.send("DOM.querySelector", { nodeId: root.nodeId, selector });
  const { fonts } = await cdp.send("CSS.getPlatformFontsForNode", { nodeId });
  assert.ok(
    fonts.some((f) => /Noto Sans (CJK )?SC/.test(f.familyName)),
    `drawn with ${fonts.map((f) => f.familyName)}`,
  );
}

const channel = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
export const luminance = ([r, g, b]) =>
  0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
export const contrast = (a, b) =>
  (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);

/** The colour of the pixel at (x, y), as somebody with that deficiency sees it. */
export async function pixel(page, x, y, deficiency) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Emulation.setEmulatedVisionDeficiency", { type: deficiency });
  const png = await page.screenshot({ clip: { x, y, width: 1, height: 1 } });
  await cdp.send("Emulation.setEmulatedVisionDeficiency", { type: "none" });
  return page.evaluate(async (b64) => {
    const bytes = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const c = new OffscreenCanvas(1, 1).getContext("2d");
    c.drawImage(bitmap, 0, 0);
    return [...c.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  }, png.toString("base64"));
}

/**
 * What can be seen of a run's map. Lines are judged by their strokes, because a line that goes exactly east has no
 * height.
 */
export async function drawn(page) {
  return page.evaluate(() => {
    const svg = document.querySelector("svg.map");
    if (!svg) return null;
    const box = svg.viewBox.baseVal;
    const stroked = (selector) => {
      const e = svg.querySelector(selector);
      const style = e && getComputedStyle(e);
      if (
        !e?.getAttribute("d") ||
        style.stroke === "none" ||
        parseFloat(style.strokeWidth) <= 0 ||
        style.visibility !== "visible"
      )
        return 0;
      const inside = [0, 1].map((share) => e.getPointAtLength(share * e.getTotalLength()));
      if (!inside.every((p) => p.x > box.x && p.x < box.x + box.width && p.y > box.y && p.y < box.y + box.height))
        return 0;
      if (e.getTotalLength() === 0) return style.strokeLinecap === "round" ? parseFloat(style.strokeWidth) : 0;
      return e.getTotalLength();
    };
    const marks = [...svg.querySelectorAll(".mark")].map((m) => m.getBoundingClientRect());
    return {
      wet: stroked("path.wet"),
      way: stroked("path.way"),
      marks: marks.length,
      apart: marks.every((a, i) =>
        marks.every(
          (b, j) => i === j || a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top,
        ),
      ),
      size: Math.min(...marks.map((m) => m.width)),
    };
  });
}
