/** Asks what the columns of an unknown table mean: for each field a column, or one value for every row. */

import { element } from "./element.js";

const FIELDS = Object.freeze([
  { name: "time", says: "Time", required: true, hint: "when the request was made" },
  { name: "model", says: "Model", required: true, hint: "for example gpt-4o" },
  { name: "input_tokens", says: "Input tokens", required: true, hint: "tokens sent" },
  { name: "output_tokens", says: "Output tokens", required: true, hint: "tokens received" },
  { name: "cached_input_tokens", says: "Cached input tokens", required: false, hint: "part of the input tokens" },
  { name: "provider", says: "Provider", required: false, hint: "for example openai" },
  { name: "cost_usd", says: "Cost in US dollars", required: false, hint: "for the whole row" },
  { name: "latency_ms", says: "Latency in ms", required: false, hint: "how long the request took" },
  { name: "tag", says: "Tag", required: false, hint: "a team, a feature, a customer" },
]);
const CONSTANT = "=";
const NONE = "";
const WORDS = Object.freeze({
  time: ["time", "date", "created", "stamp"],
  model: ["model", "engine", "deployment"],
  input_tokens: ["input", "prompt", "context"],
  output_tokens: ["output", "completion", "generated"],
  cached_input_tokens: ["cache"],
  provider: ["provider", "vendor"],
  cost_usd: ["cost", "price", "spend", "usd"],
  latency_ms: ["latency", "duration"],
  tag: ["tag", "team", "project", "feature"],
});

// The server keeps so many of a refused file.
const MOST_COLUMNS = 100;

/** The form; `send(mapping)` gets the text that the server's `mapping` field takes. */
export function mappingForm({ columns, missing }, send) {
  const rows = FIELDS.map((field) => mappingRow(field, columns, missing));
  const form = element(
    "form",
    { class: "mapping" },
    element("p", {}, "This file is of no known kind. Say what its columns mean; only the first four are needed."),
    columns.length >= MOST_COLUMNS && element("p", { class: "muted" }, `Its first ${MOST_COLUMNS} columns are listed.`),
    rows.map(({ node }) => node),
    element("div", { class: "dialog-actions" }, element("button", { type: "submit", class: "primary" }, "Import with these columns")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(rows.map(({ read }) => read()).filter(Boolean).join(" "));
  });
  return form;
}

function mappingRow({ name, says, required, hint }, columns, missing) {
  const select = element(
    "select",
    { id: `map-${name}`, name, required },
    element("option", { value: NONE }, required ? "Choose …" : "Not in the file"),
    columns.map((column, index) => element("option", { value: String(index) }, column)),
    element("option", { value: CONSTANT }, "One value for every row …"),
  );
  const constant = element("input", { "aria-label": `${says} of every row`, placeholder: hint, hidden: true });
  const follow = () => {
    constant.hidden = select.value !== CONSTANT;
    constant.required = select.value === CONSTANT;
  };
  select.addEventListener("change", () => {
    follow();
    if (!constant.hidden) constant.focus();
  });
  select.value = guess(name, columns, required, missing);
  follow();
  const label = element("label", { for: select.id }, says, required && element("span", { class: "needed" }, " needed"));
  return {
    node: element("div", { class: "mapping-row" }, label, element("div", { class: "mapping-sides" }, select, constant)),
    read: () => pair(name, select.value, constant.value.trim(), columns),
  };
}

/** A column whose name speaks for the field; the value of a required field that no column speaks for is asked. */
function guess(name, columns, required, missing) {
  const index = columns.findIndex((column) => WORDS[name].some((word) => column.toLowerCase().includes(word)));
  if (index !== -1 && !(name === "input_tokens" && /cache/i.test(columns[index]))) return String(index);
  return required && name === "model" && missing.includes(name) ? CONSTANT : NONE;
}

function pair(name, choice, constant, columns) {
  if (choice === NONE) return null;
  const side = choice === CONSTANT ? constant : columns[Number(choice)];
  // Quoted as for a shell, the way the server reads it; a quotation mark stands in the other kind of quotes.
  return `${name}="${side.replaceAll('"', `"'"'"`)}"`;
}
