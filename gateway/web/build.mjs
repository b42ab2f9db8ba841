// Builds the screens into dist/, which the Go program embeds.
import { build } from "esbuild";
import { copyFileSync, mkdirSync } from "node:fs";

mkdirSync("dist", { recursive: true });
for (const [name, entry] of [
  ["kiosk", "src/kiosk/main.ts"],
  ["desk", "src/desk/main.tsx"],
  ["first", "src/first/main.ts"],
]) {
  await build({
    entryPoints: { [name]: entry },
    outdir: "dist",
    bundle: true,
    minify: true,
    target: ["chrome109", "firefox115", "safari16"],
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  copyFileSync(`src/${name}/index.html`, `dist/${name}.html`);
}
