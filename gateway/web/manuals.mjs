// Writes the manual into a folder: its pages, which open without a server, and a PDF of each part: make manuals.
// usage: manuals.mjs FOLDER. SOURCE_DATE_EPOCH sets the date in the PDFs, so that two builds with the same Chromium and
// fonts are alike.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { langs, parts, renderManual } from "./manual.mjs";
import { startBrowser } from "./test/world.mjs";

/** Writes the pages; returns the folder's address. */
export function writePages(folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, content] of renderManual()) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  for (const name of ["help.js", "help.css"])
    copyFileSync(new URL(`dist/${name}`, import.meta.url), join(folder, name));
}

/**
 * Where pages lie while they are printed, so that a PDF names no folder of the computer that made it. It is longer
 * than what replaces it in a link.
 */
const origin = "http://the-pages-of-the-manual-of-gatehouse.invalid/";

/**
 * A PDF without the time at which it was printed, whose links lead to the PDFs beside it. What is replaced keeps its
 * length: a PDF counts its bytes.
 */
export function settled(pdf, seconds) {
  const at = new Date(seconds * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const text = pdf
    .toString("latin1")
    .replace(/(\/(?:Creation|Mod)Date \(D:)\d{14}/g, `$1${at}`)
    .replace(/\/S \/URI\s\/URI \(([^)]*)\)/g, (all, to) => {
      const [, lang, name] = to.startsWith(origin)
        ? (/^(\w+)\/([\w-]+)\.html/.exec(to.slice(origin.length)) ?? [])
        : [];
      return name ? `/S /GoToR /F (${name}.${lang}.pdf) /D [0 /Fit]`.padEnd(all.length) : all;
    });
  if (text.length !== pdf.length || text.includes(origin)) throw new Error("a link of a PDF leads nowhere");
  return Buffer.from(text, "latin1");
}

/** Prints a part of the manual as Chromium does. */
export async function print(browser, folder, lang, name) {
  const context = await browser.newContext(); // a process of its own: a PDF names parts by what it has counted
  const page = await context.newPage();
  await page.route(`${origin}**`, (route) =>
    route.fulfill({ path: join(folder, decodeURIComponent(new URL(route.request().url()).pathname)) }),
  );
  await page.goto(`${origin}${lang}/${name}.html`);
  await page.evaluate(() => document.fonts.ready);
  const long = !name.startsWith("guard");
  const pdf = await page.pdf({
    preferCSSPageSize: true,
    tagged: true,
    displayHeaderFooter: long,
    headerTemplate: "<span></span>",
    footerTemplate:
      '<span style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber"></span> / ' +
      '<span class="totalPages"></span></span>',
  });
  await context.close();
  return settled(pdf, Number(process.env.SOURCE_DATE_EPOCH ?? 0));
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const folder = resolve(process.argv[2]);
  rmSync(folder, { recursive: true, force: true });
  writePages(join(folder, "html"));
  const browser = await startBrowser();
  for (const lang of langs)
    for (const name of parts) {
      const path = join(folder, `${name}.${lang}.pdf`);
      writeFileSync(path, await print(browser, join(folder, "html"), lang, name));
    }
  await browser.close();
  const bytes = langs.flatMap((lang) => parts.map((name) => readFileSync(join(folder, `${name}.${lang}.pdf`)).length));
  console.log(`${bytes.length} PDFs in ${folder}, ${Math.round(bytes.reduce((a, b) => a + b) / 1000)} kB`);
}
