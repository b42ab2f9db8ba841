// The code as it is typed: groups of 5 characters, the last of which checks the others (gateway/enrolment/code.go).
export const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const groupChars = 5;
export const groupsALine = 6;

/** The character of a code that was meant; empty: none, but what stands between characters; null: no code has it. */
export function meant(key: string): string | null {
  const c = key.normalize("NFKC").toUpperCase();
  if (/^[\s\-_\u2010-\u2014]$/.test(c)) return "";
  const as = { O: "0", I: "1", L: "1" }[c] ?? c;
  return as.length === 1 && alphabet.includes(as) ? as : null;
}

/** Reports whether the last character of a whole group, counted from 0, fits the others. */
export function fits(n: number, group: string): boolean {
  let sum = 11 * n;
  for (let i = 0; i < groupChars - 1; i++) sum += (2 * i + 1) * alphabet.indexOf(group[i] ?? "");
  return alphabet[sum % alphabet.length] === group[groupChars - 1];
}

/** What is typed so far. */
export class Typed {
  groups: string[] = [""];
  /** The group that is typed now. */
  at = 0;
  /** The last key that no code has; empty: none. */
  strange = "";

  key(key: string): void {
    if (key === ":") {
      this.clear(); // what came before was the beginning of a scanned code, which says what it is
      return;
    }
    const c = meant(key);
    this.strange = c === null ? key : "";
    if (!c) return;
    this.groups[this.at] += c;
    if ((this.groups[this.at] ?? "").length < groupChars) return;
    const short = this.groups.findIndex((g) => g.length < groupChars);
    if (short < 0) this.groups.push("");
    this.at = short < 0 ? this.groups.length - 1 : short;
  }

  back(): void {
    this.strange = "";
    if (this.groups[this.at] === "" && this.at > 0) {
      if (this.at === this.groups.length - 1) this.groups.pop();
      this.at--;
    }
    this.groups[this.at] = (this.groups[this.at] ?? "").slice(0, -1);
  }

  /** Types a group anew. */
  edit(n: number): void {
    this.strange = "";
    if (n >= this.groups.length) return;
    this.at = n;
    this.groups[n] = "";
  }

  clear(): void {
    this.groups = [""];
    this.at = 0;
    this.strange = "";
  }

  get text(): string {
    return this.groups.join(" ").trim();
  }

  bad(n: number): boolean {
    const g = this.groups[n] ?? "";
    return g.length === groupChars && !fits(n, g);
  }

  /** The first group that is wrong; -1: none is. */
  get wrong(): number {
    return this.groups.findIndex((_, n) => this.bad(n));
  }
}
