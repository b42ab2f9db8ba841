// A page whose server is played by the test: no program runs, and each state takes no time.
import { readFileSync } from "node:fs";
import { openPage, until } from "./world.mjs";

export const home = "http://gatehouse.test";
const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
// As an administrator has it: /api/session.
const session = {
  name: "王主任",
  role: "admin",
  acts: [
    ...["see", "passages", "run-alerts", "alerts", "calls", "notices", "losses", "quarantine", "retention"],
    ...["account", "people", "tokens", "enrol", "audit"],
  ],
};
const types = { js: "text/javascript", css: "text/css", html: "text/html" };

/**
 * Opens the kiosk or the desk with a state; page.put(all) sends another, page.posts holds what the page posted. The
 * server's clock shows at, ms since 1970, with each state; without it the time of day.
 */
export async function openPlayed(browser, name, size, lang, state, at) {
  const page = await openPage(browser, { ...size, lang }, "about:blank?");
  page.problems = [];
  page.posts = [];
  await page.route(`${home}/**`, (route) => {
    const { pathname } = new URL(route.request().url());
    if (route.request().method() === "POST" && !pathname.startsWith("/api/")) {
      page.posts.push([pathname, route.request().postDataJSON()]);
      return route.fulfill({ status: 204 });
    }
    if (pathname.startsWith("/api/")) return route.fulfill({ json: pathname === "/api/session" ? session : [] });
    const asset = pathname.startsWith("/assets/") ? pathname.slice("/assets/".length) : `${name}.html`;
    return route.fulfill({
      body: file(`../dist/${asset}`),
      contentType: `${types[asset.split(".").at(-1)]}; charset=utf-8`,
    });
  });
  let n = 0;
  await page.routeWebSocket(/\/live/, (ws) => {
    page.put = (all) => ws.send(JSON.stringify({ e: "1", n: ++n, at: new Date(at ?? Date.now()).toISOString(), all }));
    page.put(state);
  });
  await page.goto(`${home}/?lang=${lang}`);
  await until("the page's connection", () => page.put);
  return page;
}
