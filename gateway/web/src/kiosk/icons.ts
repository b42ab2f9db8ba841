// The shapes mean what the colours mean, for people who can't tell red from green: a
// circle with a tick for go, a triangle for try again, an octagon for stop.

const octagon = "M30 4h40l26 26v40l-26 26h-40l-26-26v-40z";
const triangle = "M50 6 97 92H3z";

function svg(inner: string): string {
  return `<svg viewBox="0 0 100 100" aria-hidden="true" focusable="false">${inner}</svg>`;
}

const thermometer =
  '<path d="M50 22a9 9 0 0 1 9 9v24a15 15 0 1 1-18 0V31a9 9 0 0 1 9-9z" fill="none" stroke="currentColor" ' +
  'stroke-width="6"/><circle cx="50" cy="66" r="8" fill="currentColor"/>' +
  '<path d="M50 40v24" stroke="currentColor" stroke-width="6"/>';
const card = '<rect x="26" y="34" width="48" height="34" rx="4" fill="none" stroke="currentColor" stroke-width="5"/>';
const stop = `<path d="${octagon}" fill="none" stroke="currentColor" stroke-width="5"/>`;
const warn = `<path d="${triangle}" fill="none" stroke="currentColor" stroke-width="6" stroke-linejoin="round"/>`;

export const icons: Record<string, string> = {
  card: svg(
    '<rect x="8" y="24" width="84" height="54" rx="8" fill="none" stroke="currentColor" stroke-width="7"/>' +
      '<path d="M20 62h26M20 48h16" stroke="currentColor" stroke-width="6" stroke-linecap="round"/>' +
      '<path d="M62 38c8 6 8 20 0 26M72 32c13 10 13 28 0 38" fill="none" stroke="currentColor" stroke-width="5" ' +
      'stroke-linecap="round"/>',
  ),
  therm: svg(
    '<path d="M42 14a9 9 0 0 1 18 0v42a19 19 0 1 1-18 0z" fill="none" stroke="currentColor" stroke-width="7"/>' +
      '<circle cx="51" cy="73" r="10" fill="currentColor"/>' +
      '<path d="M51 66V40" stroke="currentColor" stroke-width="7"/>' +
      '<path d="M72 22h14M72 38h14M72 54h14" stroke="currentColor" stroke-width="6" stroke-linecap="round"/>',
  ),
  hand: svg(
    '<path d="M10 20h62l14 14v14H46l-8 38H16l8-38H10z" fill="none" stroke="currentColor" stroke-width="7" ' +
      'stroke-linejoin="round"/><path d="M50 48v16h-9M26 33h22" fill="none" stroke="currentColor" stroke-width="6"/>',
  ),
  phone: svg(
    '<path d="M26 10l14 4 5 20-11 8c5 10 13 18 24 24l9-11 20 6 3 14c-4 10-13 15-22 14C38 84 14 58 12 32c0-9 5-18 ' +
      '14-22z" fill="none" stroke="currentColor" stroke-width="7" stroke-linejoin="round"/>',
  ),
  unread: svg(
    `${warn}<path d="M40 50a10 10 0 1 1 14 9c-3 2-4 4-4 8" fill="none" stroke="currentColor" stroke-width="7"/>` +
      `<circle cx="50" cy="78" r="5" fill="currentColor"/>`,
  ),
  apart: svg(
    '<circle cx="30" cy="30" r="13" fill="none" stroke="currentColor" stroke-width="7"/>' +
      '<circle cx="70" cy="30" r="13" fill="none" stroke="currentColor" stroke-width="7"/>' +
      '<path d="M8 86c0-20 9-30 22-30s14 5 16 10M92 86c0-20-9-30-22-30s-14 5-16 10" fill="none" ' +
      'stroke="currentColor" stroke-width="7" stroke-linecap="round"/>' +
      '<path d="M50 12v78" stroke="currentColor" stroke-width="5" stroke-dasharray="8 7"/>',
  ),
  test: svg(
    '<path d="M20 38v24h14l20 18V20L34 38z" fill="none" stroke="currentColor" stroke-width="6" ' +
      'stroke-linejoin="round"/>' +
      '<path d="M66 36c7 8 7 20 0 28M77 26c13 14 13 34 0 48" fill="none" stroke="currentColor" ' +
      'stroke-width="6" stroke-linecap="round"/>' +
      "",
  ),
  pass: svg(
    '<circle cx="50" cy="50" r="44" fill="none" stroke="currentColor" stroke-width="8"/>' +
      '<path d="M29 52l14 15 29-33" fill="none" stroke="currentColor" stroke-width="10" ' +
      'stroke-linecap="round" stroke-linejoin="round"/>' +
      "",
  ),
  retest: svg(
    `${warn}<path d="M36 72a18 18 0 1 1 28 0M64 72v-12M64 72H52" fill="none" stroke="currentColor" stroke-width="5"/>`,
  ),
  invalid: svg(`${warn}<path d="M50 38v40M33 48l34 20M67 48 33 68" stroke="currentColor" stroke-width="5"/>`),
  refuse: svg(
    `${warn}<path d="M50 36v26" stroke="currentColor" stroke-width="9"/>` +
      `<circle cx="50" cy="76" r="5" fill="currentColor"/>`,
  ),
  fever: svg(stop + thermometer),
  sealed: svg(
    `${stop}<path d="M26 50 50 28l24 22v24H26z" fill="none" stroke="currentColor" stroke-width="5"/>` +
      `<path d="M36 46v28M50 40v34M64 46v28" stroke="currentColor" stroke-width="5"/>`,
  ),
  home: svg(
    `${stop}<path d="M26 52 50 30l24 22M32 48v26h36V48" fill="none" stroke="currentColor" stroke-width="5"/>` +
      `<path d="M50 84V58m-9 9 9-9 9 9" fill="none" stroke="currentColor" stroke-width="5"/>`,
  ),
  unknown: svg(
    `${stop}${card}` +
      `<path d="M44 46c0-9 13-9 13 0 0 6-7 5-7 11" fill="none" stroke="currentColor" stroke-width="4"/>` +
      `<circle cx="50" cy="62" r="2.6" fill="currentColor"/>`,
  ),
  fault: svg(
    `${stop}` +
      `<path d="M38 30v14M62 30v14M32 44h36v8a18 18 0 0 1-36 0zM50 70v12" fill="none" stroke="currentColor" ` +
      `stroke-width="5"/>` +
      ``,
  ),
  doubtful: svg(
    `${warn}<path d="M38 50c0-17 24-17 24 0 0 10-12 9-12 20" fill="none" stroke="currentColor" stroke-width="6"/>` +
      `<circle cx="50" cy="81" r="4" fill="currentColor"/>`,
  ),
  unkept: svg(
    `${stop}` +
      `<path d="M32 28h28l10 10v34H32zM40 28v14h16V28M41 72V56h20v16" fill="none" stroke="currentColor" ` +
      `stroke-width="5" stroke-linejoin="round"/>` +
      `<path d="M26 26l48 50" stroke="currentColor" stroke-width="6"/>`,
  ),
  offline: svg(
    `${stop}` +
      `<path d="M28 56a24 24 0 0 1 44 0M37 64a15 15 0 0 1 26 0" fill="none" stroke="currentColor" stroke-width="5"/>` +
      `<circle cx="50" cy="73" r="4" fill="currentColor"/>` +
      `<path d="M30 30l40 44" stroke="currentColor" stroke-width="6"/>`,
  ),
  retired: svg(`${stop}<path d="M32 32l36 36M68 32L32 68" stroke="currentColor" stroke-width="7"/>`),
  cut: svg(
    `${stop}` +
      `<path d="M42 42l-9 9a11 11 0 0 0 16 16l5-5M58 58l9-9a11 11 0 0 0-16-16l-5 5M36 30l4 8M64 70l-4-8M28 ` +
      `38l8 4M72 62l-8-4" fill="none" stroke="currentColor" stroke-width="5"/>` +
      ``,
  ),
};
