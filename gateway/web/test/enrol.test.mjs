// A gate goes into service: a code, its request, two fingerprints, an approval, an end.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import jsQR from "jsqr";
import { shot } from "./look.mjs";
import { inspect, manage, startAtDesk } from "./start.mjs";
import { bin, until } from "./world.mjs";

let at, demo, page, code;

before(async () => {
  at = await startAtDesk();
  ({ demo, page } = at);
  await manage(page, "入网");
});
after(() => at?.stop());

/** Starts gatehouse enrol at a gate; says what it prints, and its exit code. */
function enrol(text) {
  const p = spawn(bin("gatehouse"), ["enrol", "--tpm", "off", "--dir", join(demo.dir, "..", "new-gate")]);
  const said = { text: "", code: null };
  for (const s of [p.stdout, p.stderr])
    s.on("data", (b) => {
      said.text += b;
    });
  p.on("exit", (c) => {
    said.code = c;
  });
  p.stdin.end(`${text}\n\n`);
  return said;
}

/** What a camera reads from a QR code, by another decoder than ours. */
async function decoded(svg) {
  const png = (await svg.screenshot()).toString("base64");
  const { data, width, height } = await page.evaluate(async (b64) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(b64), (c) => c.charCodeAt(0))]));
    const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    c.drawImage(bitmap, 0, 0);
    const image = c.getImageData(0, 0, bitmap.width, bitmap.height);
    return { data: [...image.data], width: bitmap.width, height: bitmap.height };
  }, png);
  return jsQR(Uint8ClampedArray.from(data), width, height)?.data;
}

const row = () => page.locator("tbody tr", { hasText: demo.gate });

test("a code is shown once, on a card to print", async () => {
  await row().getByRole("button", { name: "生成入网码" }).click();
  await page.locator(".card").waitFor();
  code = await page.locator(".card pre").textContent();
  assert.match(code, /^([0-9A-HJKMNP-TV-Z]{5}[ \n]?){20,}$/);
  assert.equal(await decoded(page.locator(".card svg")), `GATEHOUSE-ENROL:${code.replaceAll(/\s/g, "")}`);
  await inspect(page, "enrol-code");
  await page.emulateMedia({ media: "print" });
  assert.ok(!(await page.locator(".top").isVisible()) && (await page.locator(".card").isVisible()));
  await shot(page, "desk-enrol-print");
  await page.emulateMedia({ media: null });
  await page.getByRole("button", { name: "收起" }).click();
  assert.equal(await page.locator(".card").count(), 0);
  await until("the code in the list", async () => /入网码已生成/.test(await row().textContent()));
});

test("a code that nobody has used is withdrawn, and another one is made", async () => {
  await row()
    .getByRole("button", { name: /作废入网码/ })
    .click();
  await until("the end of the code", async () => !/入网码已生成/.test(await row().textContent()));
  await row().getByRole("button", { name: "生成入网码" }).click();
  await page.locator(".card").waitFor();
  assert.notEqual(await page.locator(".card pre").textContent(), code);
  code = await page.locator(".card pre").textContent();
});

test("the desk shows the fingerprint that the gate shows, and approves", async () => {
  const said = enrol(code.toLowerCase());
  const shown = page.locator(".asks .fingerprint");
  await shown.waitFor();
  const fingerprint = await shown.textContent();
  assert.match(fingerprint, /^(\d{4} ){3}\d{4}$/);
  await until("the fingerprint at the gate", async () => said.text.includes(fingerprint));
  await inspect(page, "enrol-waiting");
  await page.getByRole("button", { name: "数字一致，批准" }).click();
  await until("the end of gatehouse enrol", async () => said.code !== null);
  assert.equal(said.code, 0, said.text);
  await until("the identity", async () => (await row().textContent()).includes(fingerprint));
  await inspect(page, "enrol-done");
});

test("senders that nobody has enrolled are listed", async () => {
  const unknown = page.getByRole("heading", { name: "未入网的发送方" });
  assert.equal(await unknown.count(), 0);
  const at = new Date().toISOString();
  await page.route("**/api/enrol", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    assert.deepEqual(json.unknown, []);
    json.unknown = [
      { agent: "gate-002", first: at, last: at, messages: 12, listed: true },
      { agent: "ghost-77", first: at, last: at, messages: 3000, listed: false },
    ];
    await route.fulfill({ response, json });
  });
  await unknown.waitFor();
  const stranger = page.locator("tbody tr", { hasText: "ghost-77" });
  assert.match(await stranger.textContent(), /站点名册中没有/);
  await inspect(page, "enrol-unknown");
  await page.unroute("**/api/enrol");
  await until("an empty list", async () => (await unknown.count()) === 0);
});

test("certificates that end are listed with what to do, and a county with one key is told", async () => {
  const ending = page.getByRole("heading", { name: "即将或已经到期的证书" });
  const key = page.getByText("共用一把假名密钥");
  await key.waitFor(); // the demo has no epochs
  assert.equal(await ending.count(), 0);
  const inDays = (n) => new Date(Date.now() + n * 86_400_000).toISOString();
  await page.route("**/api/enrol", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    assert.deepEqual([json.ending, json.one_key], [[], true]);
    json.ending = [
      { name: "gate-003", kind: "agent", ends: inDays(-40), late: true },
      { name: "gate-002", kind: "agent", ends: inDays(12) },
      { name: "fogger-7", kind: "machine", ends: inDays(20) },
      { name: "grafana", kind: "reader", ends: inDays(21) },
    ];
    json.one_key = false;
    await route.fulfill({ response, json });
  });
  await ending.waitFor();
  const said = async (name) => page.locator("tbody tr", { hasText: name }).first().textContent();
  assert.match(await said("gate-003"), /已过期.*新的入网码/);
  assert.match(await page.locator("tbody tr", { hasText: /未自动续期/ }).textContent(), /gate-002/);
  assert.match(await said("fogger-7"), /identity issue fogger-7 --kind machine/);
  assert.match(await said("grafana"), /identity issue grafana --kind reader/);
  assert.equal(await key.count(), 0);
  await inspect(page, "enrol-ending");
  await page.unroute("**/api/enrol");
  await until("an empty list", async () => (await ending.count()) === 0);
});

test("an identity is revoked after a second click", async () => {
  await row().getByRole("button", { name: "吊销" }).click();
  await row().getByRole("button", { name: "确认吊销" }).click();
  await until("the end of the identity", async () => /已由 li 吊销/.test(await row().textContent()));
});

test("a reader has a certificate from the terminal, and loses it at the desk", async () => {
  const issue = ["identity", "issue", "grafana", "--kind", "reader", "--out", join(demo.dir, "..", "grafana")];
  execFileSync(bin("gatehouse"), [...issue, "--config", join(demo.dir, "collect.yaml")]);
  const reader = page.locator("tbody tr", { hasText: "grafana" });
  await reader.waitFor();
  assert.match(await reader.textContent(), /只读客户端.*\d{4} \d{4}/);
  await inspect(page, "enrol-others");
  await reader.getByRole("button", { name: "吊销" }).click();
  await reader.getByRole("button", { name: "确认吊销" }).click();
  await until("the end of the identity", async () => /已由 li 吊销/.test(await reader.textContent()));
});

test("cards for all gates are printed two a page", async () => {
  await page.getByRole("button", { name: /未入网门岗生成/ }).click();
  await until("the cards", async () => (await page.locator(".card").count()) > 1);
  const pdf = await page.pdf({ format: "A4" });
  const cards = await page.locator(".card").count();
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(Math.abs(pages - cards / 2) <= 1, `${cards} cards on ${pages} pages`);
});

test("no page has failed", () => assert.deepEqual(page.problems, []));
