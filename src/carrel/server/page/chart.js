/** A chart from a `carrel-chart` block: read, checked, and drawn as a figure with its data as a table beside it. */

import { drawBars } from "./chart_bars.js";
import { drawLines } from "./chart_lines.js";
import { element } from "./element.js";
import { formatFigure } from "./format.js";

const MOST_LABELS = 400;
const MOST_SERIES = 8;
const KINDS = Object.freeze({ bar: drawBars, line: drawLines });

/** The chart that a block describes, or null when it describes none; then it is shown as code. */
export function readChart(text) {
  let chart;
  try {
    chart = JSON.parse(text);
  } catch {
    return null;
  }
  return isChart(chart) ? chart : null;
}

function isChart(chart) {
  if (chart === null || typeof chart !== "object" || !Object.hasOwn(KINDS, chart.type)) return false;
  const { title, unit, labels, series } = chart;
  if (typeof title !== "string" || typeof unit !== "string") return false;
  if (!isList(labels, MOST_LABELS) || !labels.every((label) => typeof label === "string")) return false;
  return isList(series, MOST_SERIES) && series.every((one) => isSeries(one, labels.length));
}

function isList(value, most) {
  return Array.isArray(value) && value.length > 0 && value.length <= most;
}

function isSeries(series, length) {
  if (series === null || typeof series !== "object" || typeof series.name !== "string") return false;
  return Array.isArray(series.values) && series.values.length === length && series.values.every(Number.isFinite);
}

/** A figure that draws the chart to the width it gets, again whenever that changes. */
export function drawChart(chart) {
  const canvas = element("div", { class: "canvas" });
  const figure = element(
    "figure",
    { class: `chart chart-${chart.type}` },
    element("figcaption", {}, chart.title, chart.unit && element("span", { class: "unit" }, ` ${chart.unit}`)),
    chart.series.length > 1 && drawLegend(chart),
    canvas,
    drawTable(chart),
  );
  let drawn = 0;
  new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width === drawn || width === 0) return;
    drawn = width;
    const drawing = KINDS[chart.type](chart, width);
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", describe(chart));
    canvas.replaceChildren(drawing);
  }).observe(canvas);
  return figure;
}

function drawLegend(chart) {
  const entries = chart.series.map((series, index) =>
    element("li", {}, element("span", { class: `swatch series-${index + 1}`, "aria-hidden": "true" }), series.name),
  );
  return element("ul", { class: "legend" }, entries);
}

function describe({ type, title, unit, labels, series }) {
  const kind = type === "bar" ? "Bar chart" : "Line chart";
  const names = series.map(({ name }) => name).join(", ");
  return `${kind}: ${title}${unit ? `, in ${unit}` : ""}; ${names}; ${labels.length} values. The data follow as a table.`;
}

function drawTable({ title, unit, labels, series }) {
  const heads = series.map(({ name }) => element("th", { scope: "col", align: "right" }, name));
  const rows = labels.map((label, index) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, label),
      series.map(({ values }) => element("td", { align: "right" }, formatFigure(values[index]))),
    ),
  );
  const caption = `${title}${unit ? ` (${unit})` : ""}`;
  const table = element(
    "table",
    {},
    element("caption", { class: "visually-hidden" }, caption),
    element("thead", {}, element("tr", {}, element("td"), heads)),
    element("tbody", {}, rows),
  );
  const frame = element("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": caption }, table);
  return element("details", { class: "chart-data" }, element("summary", {}, "Show the data"), frame);
}
