// Writes the manual into a folder: its pages, which open without a server, and a PDF of each part: make manuals.
// usage: manuals.mjs FOLDER. SOURCE_DATE_EPOCH sets the date in the PDFs, so that two builds are alike.
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

/** A PDF without the time at which it was printed. The dates keep their length: a PDF counts its bytes. */
export function dated(pdf, seconds) {
  const at = new Date(seconds * 1000).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  const text = pdf.toString("latin1").replace(/(\/(?:Creation|Mod)Date \(D:)\d{14}/g, `$1${at}`);
  return Buffer.from(text, "latin1");
}

/** Prints a part of the manual as Chromium does. */
export async function print(browser, folder, lang, name) {
  const context = await browser.newContext(); // a process of its own: a PDF names parts by what it has counted
  const page = await context.newPage();
  await page.goto(pathToFileURL(join(folder, lang, `${name}.html`)).href);
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
  return dated(pdf, Number(process.env.SOURCE_DATE_EPOCH ?? 0));
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
