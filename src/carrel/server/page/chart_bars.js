/** Horizontal bars, one group per label, one bar per series: names of models and tags are read without tilting. */

import { svg } from "./element.js";
import { formatCompact, formatFigure } from "./format.js";
import { linearScale } from "./scale.js";

const BAR = 14;
const GAP = 3;
const GROUP_GAP = 14;
const NARROW = 480;
const CHARACTER = 6.6; // average width of a 12-pixel character, in pixels

/** An SVG of the chart, `width` pixels wide. */
export function drawBars({ labels, series }, width) {
  const above = width < NARROW; // labels stand above their bars where there is no room beside them
  const left = above ? 0 : Math.min(width * 0.45, 12 + Math.max(...labels.map((label) => label.length)) * CHARACTER);
  const values = series.flatMap((one) => one.values);
  const widest = Math.max(...values.map((value) => formatFigure(value).length));
  const scale = linearScale(values, { from: left, to: width - widest * CHARACTER - 10, count: above ? 3 : 5 });
  const head = above ? 18 : 0;
  const group = head + series.length * (BAR + GAP) - GAP + GROUP_GAP;
  const bottom = labels.length * group;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${bottom + 22}`, width, height: bottom + 22 },
    scale.ticks.map((tick) => drawTick(scale.at(tick), tick, bottom, above)),
    labels.map((label, index) => {
      const top = index * group;
      const bars = series.map((one, which) =>
        drawBar(scale, one, which, label, index, top + head + which * (BAR + GAP)),
      );
      return svg("g", {}, drawLabel(label, { above, left, top, height: group - GROUP_GAP }), bars);
    }),
    svg("line", { class: "axis", x1: scale.at(0), x2: scale.at(0), y1: 0, y2: bottom - GROUP_GAP / 2 }),
  );
}

function drawTick(x, tick, bottom, above) {
  const anchor = above && x < 12 ? "start" : "middle";
  return svg(
    "g",
    {},
    svg("line", { class: "grid", x1: x, x2: x, y1: 0, y2: bottom - GROUP_GAP / 2 }),
    svg("text", { class: "tick", x, y: bottom + 12, "text-anchor": anchor }, formatCompact(tick)),
  );
}

function drawLabel(label, { above, left, top, height }) {
  const room = Math.floor((above ? 300 : left - 8) / CHARACTER);
  const short = label.length > room ? `${label.slice(0, Math.max(1, room - 1))}…` : label;
  const place = above
    ? { x: 0, y: top + 12, "text-anchor": "start" }
    : { x: left - 8, y: top + height / 2, "text-anchor": "end", "dominant-baseline": "central" };
  return svg("text", { class: "label", ...place }, short, svg("title", {}, label));
}

function drawBar(scale, series, which, label, index, y) {
  const value = series.values[index];
  const [from, to] = [scale.at(Math.min(0, value)), scale.at(Math.max(0, value))];
  const text = formatFigure(value);
  return svg(
    "g",
    {},
    svg(
      "rect",
      { class: `series-${which + 1}`, x: from, y, width: Math.max(to - from, 1), height: BAR, rx: 2 },
      svg("title", {}, `${label}, ${series.name}: ${text}`),
    ),
    svg("text", { class: "value", x: to + 5, y: y + BAR / 2, "dominant-baseline": "central" }, text),
  );
}
