// Texts by code and language. A code without a text is shown as it is: a server of a
// later version may send more codes.

export type Lang = "zh" | "en";
export type Words = Record<string, string>;

const key = "gatehouse.lang";

export function chosenLang(): Lang {
  const asked = new URLSearchParams(location.search).get("lang");
  if (asked === "zh" || asked === "en") return asked;
  try {
    return localStorage.getItem(key) === "en" ? "en" : "zh";
  } catch {
    return "zh";
  }
}

export function keepLang(lang: Lang): void {
  try {
    localStorage.setItem(key, lang);
  } catch {
    // A browser without storage starts in Chinese again.
  }
}

export function say(words: Words, code: string, values: Record<string, string | number> = {}): string {
  const text = words[code];
  if (text === undefined) return code.slice(code.indexOf(".") + 1);
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** How long ago, in words. */
export function ago(words: Words, ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 2) return say(words, "ago.now");
  if (s < 60) return say(words, "ago.s", { n: s });
  if (s < 3600) return say(words, "ago.m", { n: Math.floor(s / 60) });
  if (s < 48 * 3600 || words["ago.d"] === undefined) return say(words, "ago.h", { n: Math.floor(s / 3600) });
  return say(words, "ago.d", { n: Math.floor(s / 86400) });
}

/** Minutes and seconds: 00:42. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  return s >= 3600
    ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`
    : `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}
