// A policy is written at the desk, found faulty, mended, approved and taken back; what gates do about it is shown.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { inspect, manage, startAtDesk, sure } from "./start.mjs";
import { until } from "./world.mjs";

let at, page;

before(async () => {
  at = await startAtDesk();
  page = at.page;
  await manage(page, "规则");
});
after(() => at?.stop());

const policy = `version: "7"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}
classes:
  resident: {fever: go-home, directions: [in, out]}
`;
const button = (name) => page.getByRole("button", { name, exact: true });

async function write(text, kind = "policy") {
  await button("新版本").click();
  await page.locator(".rulesnew select").first().selectOption(kind);
  await page.fill(".rulesnew textarea", text);
  await button("保存为草稿").click();
  await page.locator(".rulesopen [role=status]").waitFor();
}

async function agreed() {
  await sure(page);
  await page.locator(".rulesopen").waitFor({ state: "detached" });
}

test("without a version gates decide by their own files", async () => {
  await page.getByText("还没有版本").waitFor();
  assert.match(await page.locator("tbody").textContent(), /按本机文件/);
  await inspect(page, "rules-empty");
});

test("a faulty draft can't be approved", async () => {
  await write(policy.replace("resident:", "? :"));
  await page.locator(".rulesopen .failed").first().waitFor();
  assert.ok(await button("批准生效").isDisabled());
  await inspect(page, "rules-faulty");
});

test("a good one is put into force with the password", async () => {
  await write(policy);
  await page.getByText("检查无误").waitFor();
  await inspect(page, "rules-draft");
  await button("批准生效").click();
  await agreed();
  await until("the version in force", async () => (await page.locator("b.inforce").count()) === 1);
});

test("a roster is checked by the policy, and repeats no card", async () => {
  const roster = "card,class,status,household,from,until\n";
  await write(`${roster}6200000101,farmer,active,,,\n`, "roster");
  const faults = await page.locator(".rulesopen pre").first().textContent();
  assert.match(faults, /line 2/);
  assert.doesNotMatch(faults, /62000/);
  await write(`${roster}6200000101,resident,active,,,\n`, "roster");
  await page.getByText("1 张卡").waitFor();
  await button("批准生效").click();
  await agreed();
  await until("both in force", async () => (await page.locator("b.inforce").count()) === 2);
  await inspect(page, "rules-in-force");
});

test("what waits for another person, and which gates are behind", async () => {
  await page.route("**/api/rules", async (route) => {
    const rules = await (await route.fetch()).json();
    rules.two_people = true;
    Object.assign(rules.versions[0], { state: "waiting", in_force: false, author: "li" });
    rules.versions[1].locked = true;
    const meant = { no: 1772000000, version: "7 (1.1)" };
    const has = { no: 1771000000, version: "6 (1.1)" };
    const behind = new Date(Date.now() - 600_000).toISOString();
    rules.gates = ["refused", "unmade", "coming", "away", "by-hand", "same"].map((state, i) => ({
      gate: `gate-00${i + 1}`,
      state,
      meant: state === "by-hand" ? undefined : meant,
      in_force: state === "same" ? meant : has,
      behind: ["refused", "coming"].includes(state) ? behind : undefined,
      why: state === "refused" ? "line 12: class farmer is not in the policy" : undefined,
    }));
    await route.fulfill({ json: rules });
  });
  await page.getByText("待第二人批准").waitFor();
  await page
    .getByRole("button", { name: /^查看: / })
    .first()
    .click();
  await page.getByText("须由另一人批准").waitFor();
  await inspect(page, "rules-behind");
  await page.unroute("**/api/rules");
});

test("no page has failed", () => assert.deepEqual(page.problems, []));
