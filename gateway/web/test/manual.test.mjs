// The manual: its pictures show what the screens say today, its pages work in a browser with the server's protections
// and as files, and its PDFs have the length that a gate can use.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { heading, langs, lying, part, parts, source } from "../manual.mjs";
import { print, writePages } from "../manuals.mjs";
import { accessible, laidOut, shot } from "./look.mjs";
import { startCollector } from "./start.mjs";
import { openShown, shown, wordsOf } from "./shown.mjs";
import { openPage, sizes, startBrowser, until } from "./world.mjs";

const kept = JSON.parse(readFileSync(new URL("pictures/words.json", source), "utf8"));
const all = langs.flatMap((lang) => parts.map((name) => ({ lang, ...part(lang, name) })));

let browser, folder;
before(async () => {
  browser = await startBrowser();
  folder = mkdtempSync(join(tmpdir(), "gatehouse-manual-"));
  writePages(join(folder, "html"));
});
after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("each picture shows what the screen says today", async () => {
  const wrong = [];
  for (const s of shown)
    for (const lang of langs) {
      const page = await openShown(browser, s, lang);
      if ((await wordsOf(page, s)) !== kept[`${s.name}.${lang}`]) wrong.push(`${s.name}.${lang}`);
      await page.context().close();
    }
  assert.deepEqual(wrong, [], "these screens have other words than when their pictures were made: run make pictures");
});

test("each picture and drawing that is used is there, each that is there is used, and all are small", () => {
  const used = new Set(all.flatMap((p) => [...p.pictures]));
  const there = lying().filter((name) => !name.endsWith(".json"));
  assert.deepEqual([...used].sort(), there.sort());
  assert.deepEqual(
    there.filter((n) => n.endsWith(".png")).sort(),
    Object.keys(kept)
      .map((n) => `pictures/${n}.png`)
      .sort(),
    "run make pictures",
  );
  const bytes = there.map((name) => statSync(new URL(name, source)).size);
  assert.ok(Math.max(...bytes) <= 60_000 && bytes.reduce((a, b) => a + b) <= 3_000_000, `${bytes}`);
  for (const p of all)
    for (const name of p.pictures)
      if (/\.(png|(zh|en)\.svg)$/.test(name))
        assert.match(name, new RegExp(`\\.${p.lang}\\.(png|svg)$`), `${p.lang}/${p.name}`);
});

test("a drawing is the same in both languages but for its words, and one without a language has none", () => {
  const words = (svg) => [...svg.matchAll(/>([^<]+)<\/text>/g)].map(([, text]) => text);
  for (const name of lying().filter((n) => n.endsWith(".svg"))) {
    const svg = readFileSync(new URL(name, source), "utf8");
    const [, lang] = /\.(zh|en)\.svg$/.exec(name) ?? [];
    assert.equal(/[一-龥]/.test(words(svg).join()), lang === "zh", name);
    if (!lang)
      assert.doesNotMatch(words(svg).join(" "), /\b[a-z]{4,}\b/, `${name} has words: make one of each language`);
    if (lang !== "zh") continue;
    const en = readFileSync(new URL(name.replace(".zh.", ".en."), source), "utf8");
    const bare = (text) => text.replace(/>[^<]+<\/text>/g, "></text>");
    assert.equal(bare(svg), bare(en), name);
    assert.doesNotMatch(words(svg).join(" "), /\b[a-z]{4,}\b/, `${name} has English words`);
  }
});

test("a heading names its anchor, or its text does", () => {
  assert.deepEqual(heading("Gate silent {#gate-silent}"), { text: "Gate silent", id: "gate-silent" });
  assert.deepEqual(heading("断网、黑屏"), { text: "断网、黑屏", id: "断网-黑屏" });
});

test("links of the manual lead to what is there", () => {
  for (const p of all) {
    for (const [, to] of p.body.matchAll(/href="([^"]+)"/g)) {
      const [file, id] = to.split("#");
      const other = file ? all.find((o) => o.lang === p.lang && `${o.name}.html` === file) : p;
      assert.ok(other, `${p.lang}/${p.name} leads to ${to}`);
      if (id)
        assert.ok(
          other.heads.some((h) => h.id === decodeURIComponent(id)),
          `${p.lang}/${p.name} leads to ${to}`,
        );
    }
  }
});

test("both languages have the same parts, with the same headings, pictures and tables", () => {
  for (const name of parts) {
    const [zh, en] = langs.map((lang) => all.find((p) => p.lang === lang && p.name === name));
    assert.deepEqual(
      zh.heads.map((h) => h.depth),
      en.heads.map((h) => h.depth),
      `${name}: headings`,
    );
    const shape = (p) => [...p.body.matchAll(/<(table|img|pre)\b/g)].map(([, tag]) => tag);
    assert.deepEqual(shape(zh), shape(en), `${name}: pictures, tables and examples`);
    assert.match(zh.title, /[一-龥]/);
    assert.doesNotMatch(en.body.replace(/<code>[^]*?<\/code>/g, ""), /[一-龥]/, `${name} in English`);
  }
});

test("the card is one page of A4, the guard's manual at most four, and each PDF has its text", async () => {
  for (const lang of langs)
    for (const name of parts) {
      const path = join(folder, `${name}.${lang}.pdf`);
      writeFileSync(path, await print(browser, join(folder, "html"), lang, name));
      const info = execFileSync("pdfinfo", [path], { encoding: "utf8" });
      const pages = Number(/^Pages:\s+(\d+)/m.exec(info)[1]);
      assert.match(info, /Page size:.*\(A4\)/, name);
      if (name === "guard-card") assert.equal(pages, 1, `${name}.${lang}`);
      if (name === "guard") assert.ok(pages <= 4, `${name}.${lang} has ${pages} pages`);
      const text = execFileSync("pdftotext", [path, "-"], { encoding: "utf8" }).replace(/\s/g, "");
      const { title } = all.find((p) => p.lang === lang && p.name === name);
      assert.ok(text.includes(title.replace(/\s/g, "")), `${name}.${lang}`);
    }
  writePages(join(folder, "a longer name of a folder"));
  for (const name of ["guard-card", "duty"]) {
    const once = await print(browser, join(folder, "a longer name of a folder"), "zh", name);
    assert.ok(once.equals(readFileSync(join(folder, `${name}.zh.pdf`))), `two prints of ${name} differ`);
  }
  const links = readFileSync(join(folder, "duty.en.pdf"), "latin1").match(/\/GoToR \/F \([^)]*\)/g);
  assert.ok(links.includes("/GoToR /F (runbook.en.pdf)"), `${links}`);
});

test("the pages work as files: they find words, and turn to the other language", async () => {
  const page = await browser.newPage({ viewport: sizes.laptop });
  await page.goto(`${pathToFileURL(join(folder, "html/zh/index.html"))}`);
  assert.ok(await page.isHidden("#desk"));
  await page.fill("#search", "黄屏 怎么");
  await page.click("#found a >> nth=0");
  await page.waitForURL(/\/zh\/guard\.html#/);
  assert.match(await page.textContent("h2:target"), /黄屏/);
  await page.click("#other");
  await page.waitForURL(/\/en\/guard\.html/);
  await page.fill("#search", "xyzzy");
  await until("that nothing is found", async () => (await page.textContent("#none")) === "Nothing found");
  assert.ok(await page.isHidden("#contents"));
  await page.close();
});

test("the desk serves the manual to who is not logged in, with its protections, and below a path", async () => {
  const county = await startCollector({ moreOfDesk: "path: /gatehouse" });
  try {
    const page = await openPage(browser, sizes.laptop, `${county.address}/gatehouse/help`);
    assert.equal(new URL(page.url()).pathname, "/gatehouse/help/zh/");
    for (const lang of langs) {
      for (const name of ["index", ...parts]) {
        await page.goto(`${county.address}/gatehouse/help/${lang}/${name}.html`);
        await accessible(page, `${lang}/${name}`);
        const pictures = await page.$$eval("img", (l) => l.map((i) => i.complete && i.naturalWidth > 0));
        assert.ok(pictures.every(Boolean), `${lang}/${name} has a picture that does not come`);
        for (const [width, box] of [
          [1366, sizes.laptop],
          [800, { width: 800, height: 900 }],
        ]) {
          await page.setViewportSize(box);
          await laidOut(page);
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(over <= 0, `${lang}/${name} at ${width} is ${over} px too wide`);
          await shot(page, `help-${name}-${lang}-${width}`);
        }
      }
    }
    await page.fill("#search", "fever");
    await until("a hit", () => page.$("#found a"));
    await page.click("#desk");
    await page.waitForSelector("form.login, main.outside");
    assert.equal(new URL(page.url()).pathname, "/gatehouse/");
    assert.deepEqual(page.problems, []);
    await page.context().close();
    for (const path of ["help/zh/nothing.html", "help/../web.go", "help/zh/guard.html.gz", "help/de/"]) {
      const r = await fetch(`${county.address}/gatehouse/${path}`, { redirect: "manual" });
      assert.notEqual(r.status, 200, path);
    }
    const r = await fetch(`${county.address}/help/en/guard.html`, { headers: { "Accept-Encoding": "identity" } });
    assert.equal(r.headers.get("Content-Encoding"), null);
    assert.match(await r.text(), /<title>Guard's manual/);
  } finally {
    await county.stop();
  }
});
