// What make bench measures with, and prints its figures by.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export const bin = (name) => new URL(`../../bin/${name}`, import.meta.url).pathname;
const began = Date.now();
export const over = []; // what is over its limit

/** Prints a figure, after the seconds since the start; with a limit, whether it holds. */
export function say(what, value, unit = "", limit = undefined, digits = 0) {
  const shown = `${typeof value === "number" ? value.toFixed(digits) : value} ${unit}`;
  const holds = limit === undefined ? "" : value <= limit ? `ok, limit ${limit}` : `OVER, limit ${limit}`;
  if (limit !== undefined && !(value <= limit)) over.push(what);
  const at = `${Math.round((Date.now() - began) / 1000)} s`.padStart(6);
  console.log(`${at}  ${what.padEnd(62)} ${shown.padStart(14)}  ${holds}`);
}

/** Runs Go benchmarks and returns their figures, by name and unit. */
export function goBench(pkg, name, time) {
  const out = execFileSync("go", ["test", "-run", "^$", "-bench", name, "-benchtime", time, "-timeout", "10m", pkg], {
    cwd: new URL("../..", import.meta.url).pathname,
    timeout: 600_000,
  }).toString();
  const figures = {};
  for (const [, bench, rest] of out.matchAll(/^(Benchmark[^\s]+)\s+\d+\s+(.*)$/gm))
    for (const [, value, unit] of rest.matchAll(/([\d.e+-]+) (\S+)/g))
      figures[`${bench.replace(/-\d+$/, "")} ${unit}`] = Number(value);
  return (key) => {
    if (figures[key] === undefined) throw new Error(`${pkg} has no figure ${key}:\n${out}`);
    return figures[key];
  };
}

export function quantile(list, q) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** Runs a program of ours to its end; one that hangs is killed and fails. */
export const runToEnd = (program, args) => execFileSync(bin(program), args, { timeout: 180_000 }).toString().trim();

/** Processor seconds of every process whose command line holds text. */
export function spent(text) {
  const pids = execFileSync("pgrep", ["-f", text])
    .toString()
    .trim()
    .split("\n")
    .filter((p) => Number(p) !== process.pid);
  return pids.reduce((sum, pid) => {
    try {
      const f = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
      return sum + (Number(f[11]) + Number(f[12])) / 100;
    } catch {
      return sum;
    }
  }, 0);
}
