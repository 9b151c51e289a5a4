/** One tool call in a timeline: what was asked, what came back, how it ended and how long it took. */

import { element, setText } from "./element.js";
import { formatDuration, formatInteger } from "./format.js";

const PREVIEW = 90;
const SHOWN = 20_000;

/** A value as JSON for people: text stays text. */
export function inspect(value, indent = 0) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, indent);
}

export class ToolView {
  #entry;
  #status = element("span", { class: "status", role: "none" }, "running");
  #outcome = element("div");
  #shownStatus = null;

  constructor(entry, when) {
    this.#entry = entry;
    const summary = element(
      "summary",
      {},
      element("code", { class: "tool" }, entry.tool),
      element("span", { class: "arguments" }, preview(entry.arguments)),
      this.#status,
    );
    const content = element("div", { class: "tool-content" });
    const details = element("details", {}, summary, content);
    // Arguments and results may be long: they are laid out only when somebody looks.
    details.addEventListener("toggle", () => {
      if (details.open && content.childElementCount === 0) {
        content.append(part("Arguments", entry.arguments), this.#outcome);
        this.#drawOutcome();
      }
    });
    this.node = element(
      "li",
      { class: "step step-tool", "data-event": "tool_executing", "data-tool": entry.tool },
      element("span", { class: "when" }, when),
      element("span", { class: "kind" }, "tool"),
      element("div", { class: "body" }, details),
    );
  }

  update() {
    const { status, durationMs } = this.#entry;
    if (status === this.#shownStatus) return;
    this.#shownStatus = status;
    this.node.dataset.status = status;
    this.#status.dataset.event = "tool_completed";
    setText(this.#status, `${status} · ${formatDuration(durationMs)}`);
    this.#drawOutcome();
  }

  #drawOutcome() {
    const { status, error, result } = this.#entry;
    if (status === null) this.#outcome.replaceChildren(element("p", { class: "part-note" }, "Still running."));
    else if (error) this.#outcome.replaceChildren(part("Error", `${error.code}: ${error.message}`));
    else this.#outcome.replaceChildren(part("Result", result ?? null));
  }
}

function preview(values) {
  const text = Object.entries(values ?? {})
    .map(([name, value]) => `${name}: ${inspect(value)}`)
    .join(", ");
  return text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text;
}

function part(title, value) {
  const text = inspect(value, 2);
  const code = element("code", {}, text.slice(0, SHOWN));
  const node = element("div", { class: "part" }, element("p", { class: "part-title" }, title));
  node.append(element("pre", { tabindex: 0, role: "region", "aria-label": title }, code));
  if (text.length > SHOWN) {
    const more = element("button", { type: "button", class: "quiet" }, `Show all ${formatInteger(text.length)} characters`);
    more.addEventListener("click", () => {
      code.textContent = text;
      more.remove();
    });
    node.append(more);
  }
  return node;
}
