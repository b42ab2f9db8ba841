// What the desk says of an alert besides its name: details, and what a second measurement has found.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, shot } from "./look.mjs";
import { openPlayed } from "./played.mjs";
import { sizes, startBrowser, until } from "./world.mjs";

const now = Date.parse("2020-02-14T14:30:00+08:00");
const ago = (minutes) => new Date(now - minutes * 60_000).toISOString();
const fever = (id, more) => ({
  agent: "gate-001",
  type: "fever",
  level: "red",
  screening_c: 38.4,
  at: ago(id),
  passage: { journal: "j", seq: id },
  guard: "call-doctor",
  id,
  ...more,
});
const list = [
  fever(1, {}),
  fever(2, {
    level: "over",
    cleared: ago(1),
    settled: { step: "cleared", at: ago(1), screening_c: 36.6, with: "contact" },
  }),
  fever(3, { settled: { step: "confirmed", at: ago(1), screening_c: 38.2 } }),
  fever(4, {
    type: "fever-confirmed",
    screening_c: 38.2,
    guard: "isolate",
    detail: "38.40 first, 38.20 the second time",
  }),
  {
    id: 5,
    agent: "gate-001",
    type: "device-gone",
    level: "amber",
    at: ago(5),
    lasts: true,
    device: "reader-in",
    detail: "rdm6300: unplugged",
  },
  {
    id: 6,
    agent: "drone-2",
    type: "run-dry",
    level: "amber",
    at: ago(6),
    detail: "nothing-flowed, tank-did-not-fall",
    run: { machine: "drone-2", name: "2号无人机", run: "r", place: "丽景苑" },
  },
];
const state = {
  ...Object.fromEntries(list.map((a) => [`a:${a.id}`, a])),
  tree: { id: "q", name: "清和县", gates: ["gate-001"] },
};

let browser, page;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

for (const [lang, says] of [
  [
    "zh",
    {
      1: /^发热 38\.4 °C.*门岗：请求医生$/,
      2: /已排除发热：[\d:]+ 复测 36\.6 °C 体温计 · 门岗/,
      3: /已确认发热：[\d:]+ 复测 38\.2 °C · 门岗/,
      4: /复测确认发热 38\.2 °C.*38\.40 first/,
      5: /持续中 · reader-in.*rdm6300: unplugged/,
    },
  ],
  [
    "en",
    {
      1: /^Fever 38\.4 °C.*asked for a doctor$/,
      2: /no fever: cleared by the second measurement at [\d:]+, 36\.6 °C \(contact thermometer\)/,
      3: /confirmed by the second measurement at [\d:]+, 38\.2 °C/,
      4: /Fever confirmed 38\.2 °C.*38\.40 first/,
      5: /ongoing · reader-in.*rdm6300: unplugged/,
    },
  ],
]) {
  test(`each alert says what is known of it, in ${lang}`, async () => {
    page = await openPlayed(browser, "desk", sizes.laptop, lang, state, now);
    const items = page.locator(".alerts li");
    await until("the list", async () => (await items.count()) === list.length);
    const texts = await items.evaluateAll((l) =>
      l.map((x) => {
        const what = x.querySelector(".what").cloneNode(true);
        what.querySelector("a.help").remove(); // each alert leads to the runbook
        return what.textContent.replace(/\s+/g, " ").trim();
      }),
    );
    for (const [id, what] of Object.entries(says))
      assert.ok(
        texts.some((t) => what.test(t)),
        `${what} in\n${texts.join("\n")}`,
      );
    const order = await items.evaluateAll((l) => l.map((x) => x.className));
    assert.equal(order.at(-1), "over", `what is over comes last: ${order}`);
    const codes = texts.find((t) => /2号无人机/.test(t));
    assert.doesNotMatch(codes, /nothing-flowed/, "a reason of a run is said in words");
    await shot(page, `desk-details-${lang}-1366`);
    await accessible(page, `details in ${lang}`);
    assert.deepEqual(
      page.problems.filter((p) => !p.startsWith("request to http://gatehouse.test/")),
      [],
    );
    await page.context().close();
  });
}
