// The sounds of the guard's screen, as they are scheduled and as they leave the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPlayed } from "./played.mjs";
import { kioskStates } from "./states.mjs";
import { sizes, startBrowser, until } from "./world.mjs";

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

// The sounds as they leave the page, rendered without a sound card.
test("each sound has its pitch and its pulses", async () => {
  const page = await openPlayed(browser, "kiosk", sizes.kiosk, "zh", { view: null });
  const got = await page.evaluate(async () => {
    const { patterns, schedule } = window.gatehouse;
    const rate = 44100;
    const out = {};
    for (const [name, p] of Object.entries(patterns)) {
      const end = Math.max(...p.pulses.map((x) => x.at + x.for)) + 0.2;
      const ctx = new OfflineAudioContext(1, Math.ceil(end * rate), rate);
      schedule(ctx, ctx.destination, p, 0);
      const data = (await ctx.startRendering()).getChannelData(0);
      // Pulses: stretches of 20 ms that are loud. Pitch: zero crossings.
      const step = Math.floor(rate * 0.02);
      const pulses = [];
      let from = -1;
      for (let i = 0; i + step <= data.length; i += step) {
        let rms = 0;
        for (let j = i; j < i + step; j++) rms += data[j] ** 2;
        const loud = Math.sqrt(rms / step) > 0.1;
        if (loud && from < 0) from = i;
        if (!loud && from >= 0) {
          const crossings = [];
          for (let j = from + 1; j < i; j++) if (data[j - 1] < 0 && data[j] >= 0) crossings.push(j);
          pulses.push({ at: from / rate, hz: (crossings.length - 1) / ((crossings.at(-1) - crossings[0]) / rate) });
          from = -1;
        }
      }
      out[name] = { pulses };
    }
    return out;
  });
  const twice = (...notes) => [...notes, ...notes];
  const want = {
    prompt: [1319],
    pass: [1047],
    amber: [659, 659],
    fever: twice(523, 587, 659, 698, 784),
    sealed: twice(880, 880, 880, 880, 880),
    unknown: [784, 784, 784],
    fault: [587, 587, 587],
    offline: [523, 523],
    cut: twice(988, 988, 988, 988, 988),
  };
  assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort());
  for (const [name, hz] of Object.entries(want)) {
    assert.equal(got[name].pulses.length, hz.length, `${name}: ${JSON.stringify(got[name])}`);
    hz.forEach((h, i) => {
      const is = got[name].pulses[i].hz;
      assert.ok(Math.abs(is - h) < 15, `${name} pulse ${i}: ${is} Hz, want ${h}`);
    });
  }
  return page.context().close();
});

// IEC 60601-1-8:2006+A1, tables 3 and 4, of what is scheduled.
const priorities = { high: ["fever", "sealed", "cut"], medium: ["unknown", "fault"], low: ["offline"] };
const tables = {
  high: { pulses: 10, length: [0.075, 0.2], gap: [0.05, 0.125], silence: [2.5, 15] },
  medium: { pulses: 3, length: [0.125, 0.25], gap: [0.125, 0.25], silence: [2.5, 30] },
  low: { pulses: 2, length: [0.125, 0.25], gap: [0.125, 0.25], silence: [15, 600] },
};

test("alarms have the bursts of their priority, and do not end", async () => {
  const page = await openPlayed(browser, "kiosk", sizes.kiosk, "zh", { view: null });
  const patterns = await page.evaluate(() => window.gatehouse.patterns);
  const within = (x, [least, most], what) => assert.ok(x > least - 1e-9 && x < most + 1e-9, `${what}: ${x} s`);
  for (const [priority, names] of Object.entries(priorities))
    for (const name of names) {
      const [p, want] = [patterns[name], tables[priority]];
      assert.equal(p.pulses.length, want.pulses, name);
      const gaps = p.pulses.slice(1).map((x, i) => x.at - p.pulses[i].at - p.pulses[i].for);
      const [x, length] = [gaps[0], p.pulses[0].for];
      gaps.forEach((gap, i) => {
        if (want.pulses < 10 || [0, 1, 3, 5, 6, 8].includes(i)) within(gap, want.gap, `${name} after pulse ${i + 1}`);
        else if (i === 4) within(gap, [0.35, 1.3], `${name} between its halves`);
        else within(gap, [2 * x + length, 2 * x + length], `${name} after pulse ${i + 1}`);
      });
      for (const pulse of p.pulses) {
        within(pulse.for, want.length, `${name}, a pulse`);
        assert.ok(pulse.hz >= 500 && pulse.hz <= 1000, `${name}: ${pulse.hz} Hz`);
      }
      const last = p.pulses.at(-1);
      within(p.every - last.at - last.for, want.silence, `${name}, silence after the burst`);
    }
  const loud = Object.values(priorities).map((names) => new Set(names.map((n) => patterns[n].level)));
  assert.deepEqual(
    loud.map((x) => x.size),
    [1, 1, 1],
  );
  const [high, medium, low] = loud.map((x) => [...x][0]);
  assert.ok(high > medium && medium > low && low > patterns.pass.level);
  return page.context().close();
});

test("each state plays its sound", async () => {
  const page = await openPlayed(browser, "kiosk", sizes.kiosk, "zh", { view: null });
  const sounds = { pass: "pass", fever: "fever", sealed: "sealed", unknown: "unknown", "fault-reader": "fault" };
  for (const { name, state } of kioskStates().filter((s) => sounds[s.name])) {
    page.put({ ...state, view: { ...state.view, sound: sounds[name] } });
    await until(name, () => page.evaluate((s) => window.gatehouse.speaker.playing.startsWith(s), sounds[name]));
  }
  return page.context().close();
});
