/** Lines over ordered labels, mostly days. */

import { svg } from "./element.js";
import { formatCompact, formatFigure } from "./format.js";
import { linearScale } from "./scale.js";

const TOP = 8;
const BOTTOM = 26;
const CHARACTER = 6.6;
const MOST_DOTS = 40;

/** An SVG of the chart, `width` pixels wide. */
export function drawLines({ labels, series }, width) {
  const height = Math.round(Math.min(300, Math.max(190, width * 0.42)));
  const floor = height - BOTTOM;
  const scale = linearScale(
    series.flatMap((one) => one.values),
    { from: floor, to: TOP, count: 4 },
  );
  const left = Math.max(...scale.ticks.map((tick) => formatCompact(tick).length)) * CHARACTER + 10;
  const right = width - 8;
  const x = (index) => (labels.length === 1 ? (left + right) / 2 : left + (index / (labels.length - 1)) * (right - left));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height },
    scale.ticks.map((tick) => drawTick(scale.at(tick), tick, left, right)),
    drawLabels(labels, x, height, right - left),
    series.map((one, which) => drawSeries(one, which, labels, x, scale)),
  );
}

function drawTick(y, tick, left, right) {
  return svg(
    "g",
    {},
    svg("line", { class: tick === 0 ? "axis" : "grid", x1: left, x2: right, y1: y, y2: y }),
    svg("text", { class: "tick", x: left - 6, y, "text-anchor": "end", "dominant-baseline": "central" }, formatCompact(tick)),
  );
}

/** As many labels as fit, evenly spaced, the first and the last aligned with the ends. */
function drawLabels(labels, x, height, room) {
  // Half as much again: the first and the last reach a whole label inwards, their neighbours half of one outwards.
  const widest = Math.max(...labels.map((label) => label.length)) * CHARACTER * 1.5 + 10;
  const every = Math.max(1, Math.ceil((labels.length * widest) / room));
  return labels.map((label, index) => {
    if (index % every !== 0) return null;
    const anchor = index === 0 && labels.length > 1 ? "start" : index === labels.length - 1 && index > 0 ? "end" : "middle";
    return svg("text", { class: "tick", x: x(index), y: height - 8, "text-anchor": anchor }, label);
  });
}

function drawSeries({ name, values }, which, labels, x, scale) {
  const points = values.map((value, index) => [x(index), scale.at(value)]);
  const path = points.map(([px, py], index) => `${index === 0 ? "M" : "L"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const radius = values.length > MOST_DOTS ? 0 : 3;
  const dots = points.map(([cx, cy], index) =>
    svg(
      "g",
      { class: `dot series-${which + 1}` },
      svg("circle", { class: "mark", cx, cy, r: values.length === 1 ? 4 : radius }),
      svg("circle", { class: "reach", cx, cy, r: 10 }),
      svg("title", {}, `${labels[index]}, ${name}: ${formatFigure(values[index])}`),
    ),
  );
  return svg("g", {}, svg("path", { class: `line series-${which + 1}`, d: path }), dots);
}
