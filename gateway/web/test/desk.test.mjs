import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { accessible, drawn, shot } from "./look.mjs";
import { bin, openPage, password, sizes, sleep, startBrowser, startDemo, until } from "./world.mjs";

let demo, browser, page;
const evil = `<img src=x onerror="document.title='owned'">`;

before(async () => {
  demo = await startDemo({ gates: 20 });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
});

const go = async (path) => {
  await page.evaluate((to) => {
    history.pushState(null, "", to);
    dispatchEvent(new PopStateEvent("popstate"));
  }, path);
  await sleep(400);
};
const alerts = () => page.$$eval(".alerts li", (l) => l.map((x) => x.textContent));
const tile = (agent) => page.$eval(`a.tile[href="/gates/${agent}"]`, (e) => e.className.replace("tile ", ""));

async function fill(p, name, secret) {
  await p.fill("[name=name]", name);
  await p.fill("[name=password]", secret);
  await p.click("form.login button[type=submit]");
}

/** Checks what every page must fulfil, in both languages and sizes. */
async function inspect(name) {
  for (const lang of ["zh", "en"]) {
    if ((await page.evaluate(() => document.documentElement.lang)).startsWith("zh") !== (lang === "zh"))
      await page.click(".lang");
    for (const [size, box] of [
      ["1366", sizes.laptop],
      ["1920", sizes.wide],
    ]) {
      await page.setViewportSize(box);
      await sleep(150);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} ${lang} ${size} is ${over} px too wide`);
      await shot(page, `desk-${name}-${lang}-${size}`);
    }
    await accessible(page, `${name} in ${lang}`);
  }
  await page.click(".lang");
}

test("the first start's link makes the first user, once", async () => {
  page = await openPage(browser, sizes.wide, demo.link);
  await page.waitForSelector("form.login");
  await inspect("setup");
  await fill(page, evil.slice(0, 32), "short");
  assert.match(await page.textContent("[role=alert]"), /至少 10 个字符/);
  await fill(page, evil.slice(0, 32), password);
  await page.waitForSelector(".tile");
  const second = await openPage(browser, sizes.wide, demo.link);
  await second.waitForSelector("form.login");
  await fill(second, "li", password);
  await until("the refusal", async () => /链接已用过/.test(await second.textContent("body")));
  await second.context().close();
});

test("an empty county shows what it knows: gates, no alerts, nobody yet", async () => {
  await until("all gates", async () => (await page.$$(".tile.ok")).length === 20);
  assert.match(await page.textContent("body"), /暂无告警/);
  assert.match(await page.textContent("body"), /还没有通行记录/);
  assert.match(await page.textContent("body"), /该时段没有通行记录/);
  await inspect("empty");
});

test("a fever is on the desk within a second", async () => {
  const begun = Date.now();
  await demo.poke("gate-003", "fever");
  await page.waitForSelector(".alerts li.red", { timeout: 10_000 });
  const on = await page.$eval(".alerts li.red time", (e) => Date.parse(e.dateTime));
  const took = Date.now() - on;
  assert.ok(took < 1000, `${took} ms from the alarm to the desk, ${Date.now() - begun} ms from the poke`);
  assert.equal(await tile("gate-003"), "red");
  assert.match((await alerts())[0], /发热 38\.[34] °C/);
  await until("the feed", async () => /体温达到上限/.test(await page.textContent(".feed")));
  await inspect("alarm");
});

test("what is written survives a session that ends in the middle", async () => {
  await page.click(".alerts li > button");
  await page.waitForSelector("dialog[open] textarea");
  await accessible(page, "the form");
  await page.fill("dialog textarea", evil);
  await shot(page, "desk-form-zh-1920");
  await page.evaluate(() =>
    fetch("/api/logout", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }),
  );
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog[open] form.login");
  await shot(page, "desk-expired-zh-1920");
  assert.match(await page.textContent("dialog[open] form.login"), /未提交的内容仍在/);
  await fill(page, evil.slice(0, 32), password);
  await until("the login to be gone", async () => !(await page.$("form.login")));
  assert.equal(await page.inputValue("dialog textarea"), evil);
  await page.click("dialog button[type=submit]");
  await until("it to be off the list", async () => !(await alerts()).some((a) => a.includes("发热")));
});

test("who acknowledged what, when, with what note; HTML stays text", async () => {
  await go("/alerts");
  await until("the record", async () => (await page.textContent("main")).includes(evil));
  const text = await page.textContent("table");
  assert.ok(text.includes(evil.slice(0, 32)), "the name");
  assert.match(text, /确认/);
  assert.notEqual(await page.title(), "owned");
  assert.equal(await page.$$eval("img", (l) => l.length), 0);
  await inspect("alerts");
  await go("/");
});

for (const [what, type] of [
  ["sensor-fault", "设备故障"],
  ["unplug", "设备断开"],
]) {
  test(`${what} is amber on the desk within a second, and recovers`, async () => {
    await demo.poke("gate-005", what);
    await until("the alert", async () => (await alerts()).some((a) => a.includes(type)), 3000);
    assert.equal(await tile("gate-005"), "amber");
    await until("its end", async () => (await alerts()).some((a) => a.includes(type) && a.includes("已恢复")), 30_000);
    await page.click(`.alerts li:has-text("${type}") > button`);
    await page.click("dialog button[type=submit]");
    await until("it to be off the list", async () => !(await alerts()).some((a) => a.includes(type)));
  });
}

test("a cut line and a killed agent show as silence, and the tile tells the age", async () => {
  await demo.poke("gate-007", "cut");
  await until("offline", async () => (await tile("gate-007")) === "silent", 15_000);
  await until("its alert", async () => (await alerts()).some((a) => a.includes("门岗失联")), 15_000);
  const begun = Date.now();
  await demo.poke(demo.gate, "kill");
  await until("silent", async () => (await tile(demo.gate)) === "silent", 15_000);
  assert.ok(Date.now() - begun <= 15_000);
  await inspect("silent");
  await until("both to be back", async () => (await page.$$(".tile.silent")).length === 0, 60_000);
});

test("a host that hangs is silent in 15 s, whatever its retained status says", async () => {
  const pid = Number(readFileSync(join(demo.dir, "gates", demo.gate, "agent.pid"), "utf8"));
  process.kill(pid, "SIGSTOP");
  try {
    await until("silent", async () => (await tile(demo.gate)) === "silent", 16_500);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await until("back", async () => (await tile(demo.gate)) !== "silent", 30_000);
});

test("one gate's page: state, devices, chart with its table, passages, alerts", async () => {
  await demo.poke(demo.gate, "pass");
  await go(`/gates/${demo.gate}`);
  await until("the passage", async () => /36\.[45] °C/.test(await page.textContent("main")), 15_000);
  await until(
    "its devices",
    async () => /thermometer: 正常.*reader-in: 正常/.test(await page.textContent(".gatehead")),
    25_000,
  );
  await page.click(".chartbox summary");
  await page.waitForSelector(".chartbox table");
  for (const i of [2, 3]) {
    await page.click(`.chartbox button:nth-child(${i})`);
    await page.waitForSelector(".chart");
  }
  await inspect("gate");
  await page.click(".verdictbutton");
  await until("why", async () => /原因.*依据.*规则 classes\.resident/s.test(await page.textContent("dialog.explain")));
  await accessible(page, "why");
  await page.keyboard.press("Escape");
  await until("it is closed", async () => (await page.locator("dialog.explain[open]").count()) === 0);
  await go("/gates/nobody");
  assert.match(await page.textContent("main"), /没有这个门岗/);
});

/** A check as the server has it: all of one thermometer. */
const checkOf = (days, mean, more = {}) => ({
  began_at: new Date(Date.now() - days * 86_400_000).toISOString(),
  state: "done",
  offset_c: 3.1,
  pairs: Array.from({ length: 10 }, () => ({})),
  result: {
    mean_error_c: mean,
    spread_c: 0.12,
    proposed_offset_c: 3.1 - mean,
    passed: Math.abs(mean) <= 0.5,
    due_at: new Date(Date.now() + (14 - days) * 86_400_000).toISOString(),
    ...more,
  },
});

test("field checks: every thermometer is listed, overdue ones first", async () => {
  await go("/checks");
  const rows = () => page.$$eval("tbody tr", (l) => l.map((x) => x.textContent));
  await until("all thermometers", async () => (await rows()).length === 20);
  assert.ok((await rows()).every((r) => /thermometer–没有核查记录/.test(r)));
  await page.route("**/api/checks", (route) =>
    route.fulfill({
      json: [
        { agent: "gate-002", device: "thermometer", overdue: true, done: checkOf(20, 0.1) },
        { agent: "gate-009", device: "thermometer", overdue: true, done: checkOf(15, 0.62, { faults: ["off"] }) },
        {
          agent: "gate-001",
          device: "thermometer",
          now: { began_at: new Date().toISOString(), state: "open", offset_c: 3.1, pairs: [{}, {}, {}] },
        },
        { agent: "gate-004", device: "thermometer" },
        { agent: "gate-005", device: "the-one-before", done: checkOf(3, -0.3) },
        {
          agent: "gate-006",
          device: "thermometer",
          done: checkOf(1, 0, { passed: false, faults: ["misses-fevers", "flat"] }),
          now: { ...checkOf(0, 0), state: "given-up", result: undefined },
        },
      ],
    }),
  );
  await until("the checks", async () => (await rows()).length === 6, 20_000);
  const text = await rows();
  assert.match(text[0], /thermometer\d{4}-\d\d-\d\d · 已过期\d{4}-\d\d-\d\d，10 人合格\+0\.10 °C.*3\.10 °C3\.00 °C/);
  assert.match(text[1], /已过期.*不合格 · 平均误差超过 0\.5 °C\+0\.62 °C.*2\.48 °C/);
  assert.match(text[2], /–没有核查记录.*核查中，已测 3 人–––/);
  assert.match(text[4], /the-one-before · 门岗已没有这台.*合格-0\.30 °C/);
  assert.match(text[5], /把发热测成正常 · 给谁都差不多 · .*中途放弃/);
  assert.match(await page.textContent("main"), /2 台测温仪的核查已过期/);
  await inspect("checks");
  await page.unroute("**/api/checks");
});

test("quarantine shows what could not be stored, as text", async () => {
  execFileSync("mosquitto_pub", [
    "-h",
    "127.0.0.1",
    "-p",
    String(demo.broker),
    "-q",
    "1",
    "-t",
    "gatehouse/v1/qinghe/gate-005/records",
    "-m",
    evil,
  ]);
  await go("/losses");
  await until("the row", async () => (await page.$$("td button")).length > 0, 15_000);
  await until("the badge", async () => (await page.textContent(".badge")) === "1");
  assert.ok(!(await page.textContent("main")).includes(evil), "bytes in quarantine are shown to everybody");
  await page.click("text=查看内容");
  assert.ok(!(await page.textContent("main")).includes(evil), "bytes in quarantine are shown at the first click");
  await inspect("losses-asked");
  await page.click("text=查看并记录");
  await until("the bytes", async () => (await page.textContent("main")).includes(evil));
  await inspect("losses");
});

test("the audit says who did that, and who looked", async () => {
  await go("/audit");
  await until("the entries", async () => (await page.$$("tbody tr")).length > 3);
  const text = await page.textContent("tbody");
  for (const word of ["查看隔离内容", "隔离区 1", "打开工作台", "启动汇集程序", "127.0.0.1"])
    assert.ok(text.includes(word), `no ${word} in ${text}`);
  assert.ok(!text.includes(evil), "what a message held is in the audit");
  await inspect("audit");
  await page.selectOption("[name=action]", "look-quarantine");
  await page.click("form.audit button");
  await until("one entry", async () => (await page.$$("tbody tr")).length === 1);
  await page.fill("[name=object]", "gate");
  await page.click("form.audit button");
  await until("none", async () => /没有符合条件的记录/.test(await page.textContent("main")));
});

test("machines appear by themselves, and their runs with the evidence", async () => {
  await go("/machines");
  await until("ten machines", async () => (await page.$$(".machine")).length === 10);
  const wanted = {
    "drone-2": ["空喷", "没有药液流出", "该区域需要重做"],
    "fogger-2": ["泄漏", "没有喷洒指令", "请检查阀门"],
    "drone-4": ["无法证实", "没有流量计"],
  };
  let runs;
  await until(
    "a run of each, and what they are",
    async () => {
      const text = await page.textContent("main");
      runs = await page.$$eval("tbody a", (l) => l.map((a) => a.getAttribute("href")));
      return (
        runs.length >= 10 &&
        Object.keys(wanted).every((m) => runs.some((r) => r.startsWith(`/runs/${m}/`))) &&
        ["1号无人机", "空喷", "泄漏", "无法证实", "飞防一组", "卫星定位"].every((word) => text.includes(word))
      );
    },
    60_000,
  );
  await inspect("machines");
  for (const [machine, words] of Object.entries(wanted)) {
    await go(runs.find((r) => r.startsWith(`/runs/${machine}/`)));
    // A run that has just begun shows more after each refresh.
    await until(`the way of ${machine}`, async () => ((await drawn(page))?.way ?? 0) > 0, 40_000);
    await until(
      `what is said of ${machine}`,
      async () => {
        const text = await page.textContent("main");
        return words.every((w) => text.includes(w));
      },
      40_000,
    );
    await until(
      `${machine} spraying is drawn thick, or not`,
      async () => (await drawn(page))?.wet > 0 === (machine !== "drone-2"),
      40_000,
    );
    await inspect(`run-${machine}`);
  }
  await go("/runs/drone-1/none");
  await until("the words", async () => /没有这次作业/.test(await page.textContent("main")));
});

test("a machine that follows only WIRE.md ends as a run", async () => {
  const wire = readFileSync(new URL("../../wire/WIRE.md", import.meta.url), "utf8");
  const command = /```sh\n(mosquitto_pub[^`]+)```/.exec(wire)[1];
  execFileSync("sh", ["-c", command.replace("-h 127.0.0.1", `-h 127.0.0.1 -p ${demo.broker}`)]);
  await go("/machines/fogger-20");
  await until("its run", async () => (await page.$$("tbody tr")).length === 1);
  await until("its tile", async () => /80%/.test(await page.textContent(".machine")));
});

// A machine that stands, goes exactly east, or exactly north; commanded, seen once, or working.
for (const [machine, what, [north, east], count] of [
  ["fogger-31", "east", [0, 1e-5], 30],
  ["fogger-32", "north", [1e-5, 0], 30],
  ["fogger-33", "nowhere", [0, 0], 30],
  ["fogger-34", "once", [0, 0], 1],
]) {
  test(`a run that goes ${what} is on its map`, async () => {
    const begun = Date.now() - 3_600_000;
    const lines = Array.from({ length: count }, (_, i) =>
      JSON.stringify({
        v: 1,
        at: new Date(begun + i * 2000).toISOString(),
        lat: 35.9 + i * north,
        lon: 115.1 + i * east,
        command: i < count - 1 || count === 1,
        flow_lpm: i < count - 1 || count === 1 ? 6 : 0,
        tank_pct: 90 - i,
      }),
    );
    execFileSync(
      "mosquitto_pub",
      ["-h", "127.0.0.1", "-p", String(demo.broker), "-q", "1", "-l", "-t", `gatehouse/v1/qinghe/${machine}/report`],
      { input: lines.join("\n") + "\n" },
    );
    await go(`/machines/${machine}`);
    // The collector ends it: its last report is an hour old.
    await until(
      "its run, ended",
      async () => (await page.$$("tbody tr")).length === 1 && !/进行中/.test(await page.textContent("tbody")),
    );
    await page.click("tbody a");
    await page.waitForSelector(".map .track");
    const seen = await drawn(page);
    assert.deepEqual([seen.marks, seen.apart, seen.size > 10], [2, true, true], JSON.stringify(seen));
    if (count > 1) assert.ok(seen.wet > 10, JSON.stringify(seen));
    if (north || east) assert.ok(seen.way > 100, JSON.stringify(seen));
    const text = await page.textContent("main");
    for (const [here, not] of [
      [/未配置药箱容量/, /没有液位传感器/],
      count > 1
        ? [north || east ? /有移动，作业中共走/ : /不超过 10 米/, /没有位置/]
        : [/位置数据太少/, /没有位置数据|没有流量计/],
    ]) {
      assert.match(text, here);
      assert.doesNotMatch(text, not);
    }
    await inspect(`run-${what}`);
  });
}

test("a file that somebody declares is a run that says so", async () => {
  const file = join(demo.dir, "track.csv");
  writeFileSync(
    file,
    "time,lat,lon\n" +
      Array.from(
        { length: 300 },
        (_, i) => `${1581660000 + i * 2},${35.9 + i * 1e-5},${115.1 + Math.sin(i / 20) * 1e-3}`,
      ).join("\n") +
      "\n",
  );
  execFileSync(bin("gatehouse"), [
    "import",
    "run",
    file,
    "--machine",
    "fogger-21",
    "--crs",
    "WGS-84",
    "--county",
    "qinghe",
    "--broker",
    `tcp://127.0.0.1:${demo.broker}`,
  ]);
  await go("/machines/fogger-21");
  await until("its run", async () => (await page.$$("tbody tr")).length === 1);
  await page.click("tbody a");
  await until("its way", async () => (await drawn(page))?.wet > 0);
  assert.match(await page.textContent("main"), /人工申报.*没有测量证据/s);
  await inspect("run-declared");
});

test("users invite users", async () => {
  await go("/users");
  await page.click("main form.row button.main");
  await page.fill("dialog[open] input[type=password]", password);
  await page.click("dialog[open] button.main");
  const link = await page.textContent("code.link");
  const guest = await openPage(browser, sizes.laptop, link);
  await guest.waitForSelector("form.login");
  await fill(guest, "李干事", password);
  await guest.waitForSelector(".tile");
  await guest.click(".top button");
  await guest.waitForSelector("form.login");
  await fill(guest, "李干事", "wrong password");
  await until("the refusal", async () => /不对/.test(await guest.textContent("body")));
  await shot(guest, "desk-wrong-zh-1366");
  await guest.context().close();
});

test("data that stops says so, amber and then red, and comes back", async () => {
  await go("/");
  const pid = Number(
    execFileSync("pgrep", ["-f", `collect --config ${demo.dir}`])
      .toString()
      .trim()
      .split("\n")[0],
  );
  process.kill(pid, "SIGSTOP");
  try {
    await page.waitForSelector(".until.amber", { timeout: 20_000 });
    await page.waitForSelector(".until.red", { timeout: 30_000 });
    await shot(page, "desk-stopped-zh-1920");
    assert.match(await page.textContent(".until"), /数据已停止/);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await page.waitForSelector(".until:not(.red):not(.amber)", { timeout: 30_000 });
  for (let i = 0; i < 60; i++) {
    // the stall was the county's: no gate is blamed for it
    assert.deepEqual(
      (await alerts()).filter((a) => a.includes("门岗失联")),
      [],
    );
    await sleep(500);
  }
  await until("all gates", async () => (await page.$$(".tile.silent")).length === 0);
  assert.deepEqual(
    (await alerts()).filter((a) => a.includes("失联")),
    [],
  );
});

test("nine desks at once", async () => {
  const context = page.context();
  const more = await Promise.all(Array.from({ length: 8 }, () => context.newPage()));
  await Promise.all(
    more.map(async (p) => {
      await p.goto(demo.desk);
      await p.waitForSelector(".tile");
    }),
  );
  await Promise.all(more.map((p) => p.close()));
});

test("nothing is wrong in the page, and nothing goes elsewhere", () => {
  assert.deepEqual(page.problems, []);
});
