// Writes small pictures of screens: PNG with a palette of at most 64 colours, a third of what Chromium writes.
import { crc32, deflateSync } from "node:zlib";

const most = 64;

/** The pixels of a PNG, decoded by a page: width, height, and RGB of each pixel. */
async function decode(page, png) {
  const [width, height, base64] = await page.evaluate(async (b64) => {
    const bytes = Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const c = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    c.drawImage(bitmap, 0, 0);
    const { data } = c.getImageData(0, 0, bitmap.width, bitmap.height);
    let text = "";
    for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
    return [bitmap.width, bitmap.height, btoa(text)];
  }, png.toString("base64"));
  return { width, height, rgb: Buffer.from(base64, "base64") };
}

/** The commonest colours, of which no two are nearly alike. */
function palette(counts) {
  const out = [];
  for (const [c] of [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])) {
    if (out.every((o) => distance(o, c) > 300)) out.push(c);
    if (out.length === most) break;
  }
  return out;
}

const channels = (c) => [c >> 16, (c >> 8) & 255, c & 255];
function distance(a, b) {
  const [x, y] = [channels(a), channels(b)];
  return x.reduce((sum, v, i) => sum + (v - y[i]) ** 2, 0);
}

function chunk(kind, data) {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length);
  out.write(kind, 4, "latin1");
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** The same picture in at most 64 colours. The page may be any; it decodes the picture. */
export async function reduced(page, png) {
  const { width, height, rgb } = await decode(page, png);
  const counts = new Map();
  const at = (i) => rgb.readUIntBE(3 * i, 3);
  for (let i = 0; i < width * height; i++) counts.set(at(i), (counts.get(at(i)) ?? 0) + 1);
  const colours = palette(counts);
  const index = new Map();
  for (const c of counts.keys()) {
    const all = colours.map((o) => distance(o, c));
    index.set(c, all.indexOf(Math.min(...all)));
  }
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = index.get(at(y * width + x));
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8); // 8 bits, an index into the palette
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(colours.flatMap(channels))),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
