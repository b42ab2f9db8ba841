import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fits, inspectState, shot } from "./look.mjs";
import { bin, openPage, sizes, sleep, startBrowser, startDemo, until } from "./world.mjs";

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

// Each test begins with an idle gate.
beforeEach(async () => {
  let look;
  await until(
    "a quiet gate",
    async () => {
      await later();
      look = await page.evaluate(() => {
        const look = document.body.className.split(" ")[1];
        const buttons = document.querySelectorAll("#buttons button:not([disabled])");
        if (document.body.classList.contains("red")) buttons[look === "fault" ? buttons.length - 1 : 0]?.click();
        return look;
      });
      return look === "idle";
    },
    60_000,
  ).catch((e) => {
    throw new Error(`${e.message}; the screen shows ${look}`);
  });
  if ((await page.evaluate(() => document.documentElement.lang)) !== "zh-CN") await page.click("#lang");
  await page.setViewportSize(sizes.kiosk);
});

const classes = () => page.evaluate(() => document.body.className);
// A gate where somebody can be measured again is idle when the guard puts that off.
const later = () =>
  page.evaluate(() => {
    if (/ (ready|contact)( |$)/.test(document.body.className))
      document.querySelector("#buttons button:last-child:not([disabled])")?.click();
  });
const seen = (look, ms) =>
  until(
    look,
    async () => {
      if (look === "idle") await later();
      return (await classes()).split(" ").includes(look);
    },
    ms,
  );
const text = (id) => page.textContent(`#${id}`);
const poke = (what) => demo.poke(demo.gate, what);
const sounding = () => page.evaluate(() => window.gatehouse.speaker.playing.split(" ")[0]);
const journal = () =>
  execFileSync(bin("gatehouse"), [
    "journal",
    "export",
    "--dir",
    join(demo.dir, "gates", demo.gate, "journal"),
  ]).toString();
const press = async (key) => {
  await page.waitForSelector("#buttons button:not([disabled])");
  await page.keyboard.press(key);
};

const inspect = (name) =>
  inspectState(
    page,
    name,
    "#headline, #value, #note, #order, #line, #strips p, #buttons button, header > *, #lamps li",
  );

test("an idle gate invites, and its buttons fit gloves", async () => {
  await seen("idle");
  assert.equal(await text("headline"), "请先刷卡，再测温");
  await inspect("idle");
  // 19 mm at 170 dots an inch are 127 px.
  for (const b of await page.$$("#buttons button")) {
    const box = await b.boundingBox();
    assert.ok(box.height >= 127 && box.width >= 127, `${box.width}x${box.height}`);
  }
  await until("all lamps", () => page.evaluate(() => document.querySelectorAll("#lamps .ok").length === 4));
});

test("the shift's test shows and sounds all, and is no verdict", async () => {
  await press("F1");
  for (const look of ["pass", "retest", "fever"]) {
    await seen(`test-${look}`, 6000);
    assert.match(await text("headline"), /^自检 [123]\/3/);
    assert.equal(await text("order"), "这是自检，不是检测结果");
    assert.equal(await text("value"), "");
    await fits(page, `test ${look}`, "#headline, #note, #order");
    await shot(page, `kiosk-test-${look}-zh-1024`);
  }
  await seen("test-ask", 6000);
  await inspect("test-ask");
  await press("F1");
  await seen("idle", 10_000);
  assert.match(journal(), /"kind":"audit","body":\{"actor":"guard","action":"shift-test-passed"\}/);
});

test("anything real ends the shift's test", async () => {
  for (const [what, look] of [
    ["hurry", "retest"],
    ["tap", "tapped"],
    ["unknown-card", "unknown"],
  ]) {
    await seen("idle", 20_000);
    await press("F1");
    await seen("test-pass");
    await poke(what);
    await until(
      look,
      async () => {
        const c = (await classes()).split(" ");
        return c.includes(look) && !c.includes("test");
      },
      6000,
    );
    if (look === "unknown") await press("F1");
  }
  await seen("idle", 30_000);
});

test("somebody who passes: measured, told to go, forgotten", async () => {
  const looks = [];
  await page.exposeFunction("noted", (l) => looks.push(l));
  await page.evaluate(() =>
    new MutationObserver(() => window.noted(document.body.className.split(" ")[1])).observe(document.body, {
      attributeFilter: ["class"],
    }),
  );
  await poke("pass");
  await seen("pass");
  assert.equal(await sounding(), "pass");
  assert.match(await text("value"), /^36\.[45]°C$/);
  assert.equal(await text("headline"), "体温正常 请通行");
  assert.match(await text("line"), /^居民 · \d+栋\d单元 (王|李|张|刘|陈|欧阳)\*\* · 进/);
  assert.doesNotMatch(await text("recent"), /单元/);
  assert.doesNotMatch(journal(), /单元|\*\*/);
  await shot(page, "kiosk-pass-zh-1024");
  await seen("idle", 5000);
  // Card and temperature come within moments: either may be there first.
  const order = [...new Set(looks.filter((l) => l && l !== "tapped" && l !== "measured"))];
  assert.deepEqual(order, ["measuring", "pass", "idle"]);
  assert.equal(await page.evaluate(() => document.querySelectorAll("#recent li.pass").length), 1);
});

test("a tapped card asks for the temperature at once, counts down, and ends", async () => {
  const begun = Date.now();
  await poke("tap");
  await seen("tapped", 3000);
  assert.ok(Date.now() - begun < 2000, `it took ${Date.now() - begun} ms`);
  assert.equal(await sounding(), "prompt");
  assert.equal(await text("headline"), "已刷卡 请测温");
  assert.match(await text("line"), /居民/);
  const first = Number.parseInt(await text("value"), 10);
  assert.ok(first >= 6 && first <= 8, `${first} s`);
  await until("the countdown", async () => Number.parseInt(await text("value"), 10) < first);
  await inspect("tapped");
  await seen("retest", 12_000);
  assert.equal(await text("headline"), "超时未测温");
  assert.match(await text("order"), /重新刷卡/);
  await shot(page, "kiosk-too-late-zh-1024");
  await seen("idle", 10_000);
});

test("who does what the screen asks for passes", async () => {
  await poke("tap");
  await seen("tapped", 3000);
  await sleep(3000); // the one who taps is played for that long
  await poke("measure");
  await seen("pass", 6000);
  await seen("idle", 10_000);
});

test("a measurement shows when it is taken, and asks for the card", async () => {
  await poke("measure");
  await seen("measured", 4000);
  assert.match(await text("value"), /^36\.[45]°C$/);
  assert.equal(await text("headline"), "已测温 请刷卡");
  assert.match(await text("order"), /^请在 [5-8] 秒内刷卡$/);
  assert.equal(await sounding(), "prompt");
  await inspect("measured");
  await seen("refuse", 12_000);
  assert.equal(await text("headline"), "超时未刷卡");
  await seen("idle", 10_000);
});

test("two people at once: the fever has no name, nobody passes, all step back", async () => {
  const looks = [];
  await page.exposeFunction("mixed", (l) => looks.push(l));
  await page.evaluate(() =>
    new MutationObserver(() => window.mixed(document.body.className)).observe(document.body, {
      attributeFilter: ["class"],
    }),
  );
  await poke("two");
  await seen("fever", 10_000);
  assert.doesNotMatch(await text("line"), /居民|工作/);
  assert.match(await text("order"), /不知是谁：全部退后/);
  assert.match(await text("strips"), /请一个一个来 · \d 秒/);
  await inspect("mixed-fever");
  await press("F1");
  await seen("apart", 5000);
  assert.equal(await text("headline"), "请一个一个来");
  assert.match(await text("order"), /全部退后，\d 秒后/);
  await inspect("apart");
  await seen("idle", 30_000);
  assert.ok(!looks.some((l) => l.split(" ").includes("pass")), looks.join(", "));
});

for (const [what, look, headline, sound] of [
  ["cold", "invalid", "体温测不准", "amber"],
  ["hurry", "retest", "读数不稳", "amber"],
  ["lost-card", "refuse", "卡片已挂失", "amber"],
]) {
  test(`${what} is amber, ${look}, and goes by itself`, async () => {
    await poke(what);
    await seen(look);
    assert.ok((await classes()).startsWith("amber"));
    assert.equal(await text("headline"), headline);
    assert.equal(await sounding(), sound);
    await shot(page, `kiosk-${look}-zh-1024`);
    await fits(page, look, "#headline, #value, #note, #order, #line, header > *");
    await seen("idle", 15_000);
  });
}

test("a fever fills the screen in red until it is answered, and the answer is journalled", async () => {
  await poke("fever");
  await seen("fever");
  assert.equal(await sounding(), "fever");
  assert.equal(await text("headline"), "发热 请勿放行");
  assert.match(await text("value"), /^38\.[34]°C$/);
  assert.match(await text("order"), /^去等候处坐下，\d\d:\d\d 复测$/);
  await inspect("fever");
  await poke("pass"); // the next person does not hide it
  await until("the next person in the list", () =>
    page.evaluate(() => document.querySelectorAll("#recent li")[0].classList.contains("pass")),
  );
  await seen("fever");
  await press("F2");
  await until("the answer", async () => !(await classes()).includes("fever"));
  assert.match(
    journal(),
    /"kind":"audit","body":\{"actor":"guard","action":"call-doctor","passage":\d+,"alarm":"fever:\d+"[,}]/,
  );
});

test("a fever is not answered by a key that was meant for the screen before", async () => {
  await poke("fever");
  await seen("fever");
  await page.keyboard.press("F1");
  await sleep(700);
  await seen("fever");
  await press("F1");
  await seen("idle", 10_000);
});

test("a stranger and a sealed household are red, the graver first", async () => {
  await poke("unknown-card");
  await seen("unknown");
  assert.equal(await sounding(), "unknown");
  await inspect("unknown");
  await poke("sealed");
  await seen("sealed");
  assert.equal(await sounding(), "sealed");
  assert.match(await text("line"), /第 1 \/ 2 条/);
  assert.match(await text("queue"), /封控户.*卡未登记/);
  await inspect("sealed");
  await press("F1");
  await seen("unknown");
  await page.click("#buttons button:nth-child(2):not([disabled])");
  await seen("idle", 10_000);
});

test("a broken thermometer is red, then a strip, then over", async () => {
  await poke("sensor-fault");
  await seen("fault");
  assert.equal(await sounding(), "fault");
  assert.equal(await text("headline"), "测温仪故障");
  await inspect("fault");
  await press("F2");
  await until("the fault that still holds", async () => /测温仪故障/.test(await text("standing")));
  assert.match(await text("strips"), /已记录：测温仪故障.*知道了/);
  await shot(page, "kiosk-strip-zh-1024");
  await fits(page, "strip", "#headline, #strips p, #standing li, #buttons button");
  await until("the end of it", async () => (await text("standing")) === "", 25_000);
});

test("an unplugged thermometer says to look at the plug", async () => {
  await poke("unplug");
  await seen("fault");
  assert.match(await text("note"), /检查插头/);
  await until("the end of it", async () => !(await classes()).includes("fault"), 30_000);
});

test("with the reader gone nobody is asked for a card", async () => {
  await poke("unplug-reader");
  await seen("fault");
  assert.equal(await text("headline"), "读卡器故障");
  await until("both readers among the alarms", async () => (await page.locator("#queue li").count()) === 2);
  await press("F1");
  await until("the other one", async () => (await page.locator("#queue li").count()) === 1);
  await press("F1");
  await until("what still works", async () => (await text("headline")) === "请测温 · 人工登记");
  await shot(page, "kiosk-idle-no-reader-zh-1024");
  await poke("measure");
  await seen("refuse", 6000);
  assert.equal(await text("headline"), "读卡器故障 人工登记");
  assert.match(await text("value"), /^36\.[45]°C$/);
  await shot(page, "kiosk-no-reader-zh-1024");
  await fits(page, "no reader", "#headline, #value, #note, #order, #line, #strips p, header > *");
  await until("the reader to be back", async () => (await text("headline")) === "请先刷卡，再测温", 30_000);
});

test("offline: red once, then a strip with what waits; people pass", async () => {
  await poke("cut");
  await seen("offline", 20_000);
  assert.equal(await sounding(), "offline");
  await inspect("offline");
  await press("F1");
  await until("what still holds", async () => /县中心断开/.test(await text("standing")));
  await poke("pass");
  await seen("pass");
  await until("what waits", async () => /\d+ 条待上传/.test(await text("standing")));
  await shot(page, "kiosk-offline-strip-pass-zh-1024");
  await fits(page, "a pass while offline", "#headline, #value, #standing li");
  await until("the line to be back", async () => (await text("standing")) === "", 45_000);
});

test("silence lasts two minutes, shows, and ends with a new alarm", async () => {
  await seen("idle", 10_000);
  await press("F2");
  await page.click('#posttiles button:has-text("静音2分钟")');
  await until("the countdown", async () => /静音 0[12]:\d\d/.test(await text("sound")));
  await shot(page, "kiosk-muted-zh-1024");
  await poke("fever");
  await seen("fever");
  assert.equal(await sounding(), "fever");
  await press("F1");
  await seen("idle", 10_000);
});

test("the page shows nothing calm when the host is gone, and says so in 6 s", async () => {
  const pid = Number(readFileSync(join(demo.dir, "gates", demo.gate, "agent.pid"), "utf8"));
  process.kill(pid, "SIGSTOP"); // a host that hangs says nothing, and closes nothing
  const begun = Date.now();
  await seen("cut", 8000);
  assert.ok(Date.now() - begun <= 6000, `it took ${Date.now() - begun} ms`);
  assert.equal(await sounding(), "cut");
  await inspect("cut");
  process.kill(pid, "SIGCONT");
  await until("the host", async () => !(await classes()).includes("cut"));
  await poke("kill");
  await seen("cut", 6500);
  await until("the agent to be back", async () => !(await classes()).includes("cut"), 60_000);
});

test("a page that may not sound says so", async () => {
  const silent = await startBrowser({ silent: true });
  try {
    const p = await openPage(silent, sizes.kiosk, demo.kiosk);
    // The page shows it unasked; asking it would count as a gesture.
    await until(
      "the host to know",
      async () =>
        (await (await fetch(`${demo.kiosk}/readyz`)).json()).warnings.some((w) => w.includes("may not sound")),
      30_000,
    );
    assert.equal(await p.locator("#sound").innerText(), "声音未开启 请点此处");
    await shot(p, "kiosk-silent-zh-1024");
  } finally {
    await silent.close();
  }
});

test("what sounds is heard: the live tone of a fever", async () => {
  await seen("idle", 15_000);
  await poke("fever");
  await seen("fever");
  const peak = await page.evaluate(async () => {
    const { speaker } = window.gatehouse;
    const bins = new Float32Array(speaker.out.frequencyBinCount);
    let best = { db: -Infinity, hz: 0 };
    const end = performance.now() + 4000;
    while (performance.now() < end) {
      speaker.out.getFloatFrequencyData(bins);
      bins.forEach((db, i) => {
        if (db > best.db) best = { db, hz: (i * speaker.ctx.sampleRate) / speaker.out.fftSize };
      });
      await new Promise((r) => setTimeout(r, 30));
    }
    return best;
  });
  assert.ok(peak.db > -40 && peak.hz > 480 && peak.hz < 820, JSON.stringify(peak));
  await press("F2");
});

test("nothing foreign is drawn as HTML, nothing goes elsewhere", async () => {
  assert.deepEqual(page.problems, []);
});
