// Builds the screens into dist/, which the Go program embeds.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { renderManual } from "./manual.mjs";

mkdirSync("dist", { recursive: true });
for (const [name, entry] of [
  ["kiosk", "src/kiosk/main.ts"],
  ["desk", "src/desk/main.tsx"],
  ["first", "src/first/main.ts"],
  ["setup", "src/setup/main.tsx"],
  ["help", "src/help/main.ts"],
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
  if (name !== "help") copyFileSync(`src/${name}/index.html`, `dist/${name}.html`);
}

// The manual, packed as it is sent; pictures are packed already.
rmSync("dist/help", { recursive: true, force: true });
for (const [name, content] of renderManual()) {
  const packed = !name.endsWith(".png");
  const path = `dist/help/${name}${packed ? ".gz" : ""}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, packed ? gzipSync(content, { level: 9 }) : content);
}
