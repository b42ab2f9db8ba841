// Elements of the page and their texts.

export function el(id: string): HTMLElement {
  const e = document.getElementById(id);
  if (!e) throw new Error(`the page has no ${id}`);
  return e;
}

export function put(id: string, text: string): void {
  const e = el(id);
  if (e.textContent !== text) e.textContent = text;
}

/** Makes a line as large as it fits, most rem at most. */
export function fit(e: HTMLElement, most: number): void {
  const key = `${most} ${e.textContent} ${innerWidth}x${innerHeight} ${document.fonts.size}`;
  if (e.dataset.fitted === key) return;
  e.dataset.fitted = key;
  e.style.fontSize = `${most}rem`;
  if (e.scrollWidth > e.clientWidth)
    e.style.fontSize = `${(((most * e.clientWidth) / e.scrollWidth) * 0.985).toFixed(2)}rem`;
}
