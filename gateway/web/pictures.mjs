// Draws the pictures of the manual into deploy/manual/pictures, with a hash of the words that each
// shows: make pictures.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { langs, source } from "./manual.mjs";
import { reduced } from "./png.mjs";
import { openShown, shown, wordsOf } from "./test/shown.mjs";
import { startBrowser } from "./test/world.mjs";

const folder = join(fileURLToPath(source), "pictures");
const browser = await startBrowser();
const words = {};
for (const s of shown) {
  for (const lang of langs) {
    const page = await openShown(browser, s, lang);
    const path = join(folder, `${s.name}.${lang}.png`);
    words[`${s.name}.${lang}`] = await wordsOf(page, s);
    const png = await reduced(page, await (s.part ? page.locator(s.part).first() : page).screenshot());
    writeFileSync(path, png);
    await page.context().close();
  }
}
await browser.close();
writeFileSync(join(folder, "words.json"), `${JSON.stringify(words, null, 2)}\n`);
console.log(`${Object.keys(words).length} pictures in deploy/manual/pictures`);
