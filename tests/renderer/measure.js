// What of these mails cannot be read: too wide, too small, too little contrast.
const PARTS = /[\d.]+/g;
const light = c => c.slice(0, 3).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
const contrast = (a, b) => {
  const [dark, bright] = [light(a), light(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
};
const over = (top, below) => {  // a colour with an alpha, painted over another
  const alpha = top.length > 3 ? top[3] : 1;
  return [0, 1, 2].map(n => alpha * top[n] + (1 - alpha) * below[n]);
};
const colour = text => text.match(PARTS).map(Number);
const TURNS = {  // what mail programs do to colours of their own accord
  shown: c => c,
  inverted: c => c.map(v => 255 - v),
  flipped: c => {  // hue kept, light and dark exchanged
    const sum = Math.max(...c) + Math.min(...c);
    return c.map(v => v + 255 - sum);
  },
};
function background(element, view, canvas) {
  const layers = [];
  for (let one = element; one; one = one.parentElement)
    layers.unshift(colour(view.getComputedStyle(one).backgroundColor));
  return layers.reduce((below, top) => over(top, below), canvas);
}
function faults(page, view, canvas, width) {
  const found = [];
  const wide = page.documentElement.scrollWidth;
  if (wide > width) found.push(`is ${wide} px wide`);
  for (const one of page.querySelectorAll("body, body *")) {
    const text = [...one.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join("");
    if (!text || !one.getClientRects().length) continue;
    const style = view.getComputedStyle(one);
    if (parseFloat(style.fontSize) < 14) found.push(`${style.fontSize}: ${text.slice(0, 40)}`);
    const behind = background(one, view, canvas), ink = over(colour(style.color), behind);
    for (const [turn, turned] of Object.entries(TURNS)) {
      const ratio = contrast(turned(ink), turned(behind));
      if (ratio < 4.5) found.push(`${turn} ${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
    }
  }
  return found;
}
async function opened(html, width, scheme) {
  const frame = document.createElement("iframe");
  frame.style = `border:0; width:${width}px; height:900px; color-scheme:${scheme}`;
  frame.srcdoc = html;
  const ready = new Promise(done => frame.onload = done);
  document.body.append(frame);
  await ready;
  return frame;
}
async function tell({mails, scheme}) {
  const found = [];
  for (const [name, html] of Object.entries(mails)) for (const width of [320, 600, 1000]) {
    for (const kept of ["all", "no style block"]) {
      const bare = html.replace(/<style>[^]*?<\/style>/g, "");
      const frame = await opened(kept === "all" ? html : bare, width, scheme);
      const canvas = scheme === "dark" && kept === "all" ? [18, 18, 18] : [255, 255, 255];
      for (const one of faults(frame.contentDocument, frame.contentWindow, canvas, width))
        found.push(`${name}, ${width} px, ${kept}: ${one}`);
      frame.remove();
    }
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return {found, seen: Object.keys(mails).length, dark};
}
