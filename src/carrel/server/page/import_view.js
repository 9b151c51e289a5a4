/** Draws an import: its progress, its outcome, and for every row that was refused the reason. */

import { element, setText } from "./element.js";
import { formatBytes, formatCount, formatInteger } from "./format.js";
import { mappingForm } from "./mapping.js";

/** One line for the tray. */
export function importLine(job) {
  const { state, record, file } = job;
  if (state === "sending") return `Uploading ${file.name} … ${Math.round(job.sent * 100)} %`;
  if (state === "running") return `Importing ${file.name} … ${runningText(job)}`;
  if (state === "succeeded") return `${file.name}: ${formatCount(record.rows_imported, "row")} imported`;
  return `${file.name} was not imported`;
}

function runningText({ record, progress }) {
  if (record?.rows_read > 0) return formatCount(record.rows_read, "row");
  return progress;
}

/** How far it is, 0 to 1, or null when nobody knows. */
function importProgress({ state, sent }) {
  if (state === "sending") return sent;
  return state === "running" ? null : 1;
}

/** What the dialog shows of a job in its present state; `retry(options)` uploads the same file again. */
export function drawImport(job, retry) {
  const { state, record, file } = job;
  const nodes = [
    element(
      "p",
      { class: "import-file" },
      element("strong", {}, file.name),
      element("span", { class: "muted" }, ` ${formatBytes(file.size)}`),
    ),
  ];
  let update = () => {};
  if (!job.over) nodes.push(...drawProgress((draw) => (update = () => draw(job))));
  else if (state === "succeeded") nodes.push(drawSuccess(record));
  else nodes.push(...drawFailure(job, retry));
  if (job.over && record?.rejected.length > 0) nodes.push(...drawRejected(record, retry));
  update();
  return { node: element("section", { class: "import", "data-state": state }, nodes), update };
}

/** Whether the job waits for its user to say what the columns mean. */
export function asksForMapping({ record }) {
  return record?.code === "unknown_columns";
}

/** A bar and a line, updated in place, so that both move steadily and are not read out again and again. */
function drawProgress(updated) {
  const bar = element("progress", { max: 1, "aria-label": "Progress" });
  const line = element("p", { class: "muted" });
  updated((job) => {
    showProgress(bar, job);
    setText(line, importLine(job));
  });
  return [bar, line];
}

/** Fill a progress element. */
export function showProgress(bar, job) {
  const part = importProgress(job);
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
}

function drawSuccess({ rows_imported: imported, rows_rejected: rejected }) {
  const refused = rejected > 0 ? ` ${formatCount(rejected, "row")} could not be read.` : "";
  return element("p", { class: "good", role: "status" }, `${formatCount(imported, "row")} imported.${refused}`);
}

function drawFailure(job, retry) {
  const { record, problem } = job;
  if (asksForMapping(job)) return [mappingForm(record, (mapping) => retry({ mapping }))];
  const text = record?.message || problem || "The server stopped while it read the file. Upload it again.";
  return [element("p", { class: "problem", role: "alert" }, `${capitalized(text)} Nothing was imported.`)];
}

function capitalized(text) {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

function drawRejected({ rejected, rows_rejected: count, rows_read: read, state }, retry) {
  const rows = rejected.map(({ row, field, reason }) =>
    element("tr", {}, element("td", { align: "right" }, formatInteger(row)), element("td", {}, field), element("td", {}, reason)),
  );
  const heads = ["Line", "Field", "What is wrong"].map((text) => element("th", { scope: "col" }, text));
  const title = count > rejected.length ? `The first ${rejected.length} of ${formatInteger(count)} rows` : "The rows";
  const table = element("table", {}, element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows));
  const frame = { class: "table-frame rejected", tabindex: 0, role: "region", "aria-label": "Rows that could not be read" };
  const nodes = [element("p", { class: "muted" }, `${title} that could not be read:`), element("div", frame, table)];
  if (state === "failed" && read > count) {
    const text = `Import without ${count === 1 ? "it" : "them"}`;
    nodes.push(element("div", {}, element("button", { type: "button", class: "primary", onclick: () => retry({ skip: true }) }, text)));
  }
  return nodes;
}
