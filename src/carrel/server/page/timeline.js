/** The steps of a run: its requests nested, each with its start, thoughts, tool calls and completion, as they happen. */

import { element, setText } from "./element.js";
import { formatCount, formatDuration, formatInteger } from "./format.js";
import { ToolView, inspect } from "./tool.js";

const STATUS_WORDS = Object.freeze({
  succeeded: "succeeded",
  failed: "failed",
  denied: "denied",
  cancelled: "cancelled",
  timed_out: "timed out",
  interrupted: "interrupted",
});

/** The word for a status. */
export function statusWord(status) {
  return STATUS_WORDS[status] ?? status;
}

/** A collapsible timeline; it folds itself when its run ends, unless the reader has opened or closed it. */
export class TimelineView {
  #run;
  #root = null;
  #heading = element("span", { class: "timeline-heading" });
  #list = element("ol", { class: "steps", "aria-label": "Steps" });
  #note = element("p", { class: "timeline-note" });
  #wasOpen = false;
  #chosen = false;

  /** `wanted()` is called when the reader opens a timeline whose events are not here. */
  constructor(run, wanted) {
    this.#run = run;
    const summary = element("summary", {}, element("span", { class: "mark", "aria-hidden": "true" }), this.#heading);
    summary.addEventListener("click", () => (this.#chosen = true));
    this.node = element("details", { class: "timeline" }, summary, this.#note, this.#list);
    this.node.addEventListener("toggle", () => {
      if (this.node.open && this.#run.root === null) wanted();
    });
  }

  update() {
    const run = this.#run;
    this.node.dataset.state = run.state;
    if (!this.#chosen && run.open !== this.#wasOpen) this.node.open = run.open && run.state !== "sending";
    this.#wasOpen = run.open && run.state !== "sending";
    setText(this.#heading, headline(run));
    setText(this.#note, note(run));
    this.#note.hidden = this.#note.textContent === "";
    if (run.root === null) return;
    if (this.#root?.request !== run.root) {
      this.#root = new RequestView(run.root, run.createdAt);
      this.#list.replaceChildren(this.#root.node);
    }
    this.#root.update();
  }
}

function note(run) {
  if (run.lost) return "The log no longer keeps the steps of this run.";
  if (run.trimmed) return "The log no longer keeps the first steps of this run.";
  if (run.root === null && run.replaying) return "Loading the steps …";
  return "";
}

function headline(run) {
  if (run.state === "sending") return "Sending …";
  if (run.state === "queued") return "Waiting for its turn";
  if (run.state === "waiting") return "Waiting for approval";
  if (run.open) return run.root === null ? "Working" : `Working · ${latest(run)}`;
  if (run.root === null) return "Steps";
  const agents = formatCount(run.requests.length, "agent");
  const tools = run.tools.length > 0 ? ` · ${formatCount(run.tools.length, "tool call")}` : "";
  const verb = run.state === "succeeded" ? "Worked" : `${capitalized(statusWord(run.state))} after`;
  const time = formatDuration(run.root.durationMs);
  return `${verb} ${run.state === "succeeded" ? "for " : ""}${time} · ${agents}${tools}`;
}

function latest(run) {
  const tool = run.tools.findLast(({ status }) => status === null);
  const request = run.requests.findLast(({ status }) => status === null);
  return tool ? `${request?.agent ?? ""} · ${tool.tool}` : (request?.agent ?? "finishing");
}

function capitalized(word) {
  return word[0].toUpperCase() + word.slice(1);
}

/** One request with everything inside it. */
class RequestView {
  #start;
  #views = [];
  #status = element("span", { class: "status" });
  #list = element("ol", { class: "steps" });
  #done = null;

  constructor(request, start) {
    this.request = request;
    this.#start = start;
    const name = element("span", { class: "agent" }, request.agent);
    this.node = element(
      "li",
      { class: "request", "data-agent": request.agent },
      element("details", { open: true }, element("summary", {}, name, this.#status), this.#list),
    );
    const input = request.input === null ? "" : inspect(request.input);
    const started = step("started", "started", since(start, request.startedAt), input);
    started.dataset.event = "agent_started";
    this.#list.append(started);
  }

  update() {
    const { request } = this;
    request.entries.forEach((entry, index) => {
      this.#views[index] ??= this.#add(entry);
      this.#views[index].update();
    });
    this.node.dataset.status = request.status ?? "running";
    setText(this.#status, request.status === null ? "running" : requestStatus(request));
    if (request.status !== null && this.#done === null) this.#list.append((this.#done = completion(request, this.#start)));
  }

  #add(entry) {
    const view = viewOf(entry, this.#start);
    this.#list.append(view.node);
    return view;
  }
}

function viewOf(entry, start) {
  if (entry.kind === "request") return new RequestView(entry.request, start);
  if (entry.kind === "tool") return new ToolView(entry, since(start, entry.at));
  const number = entry.step === undefined || entry.step === null ? "" : ` ${entry.step}`;
  const node = step("thinking", `thinking${number}`, since(start, entry.at), entry.text);
  node.dataset.event = "agent_thinking";
  return { node, update() {} };
}

function requestStatus({ status, durationMs }) {
  return `${status === "succeeded" ? "" : `${statusWord(status)} · `}${formatDuration(durationMs)}`;
}

function completion(request, start) {
  const { status, error, usage, completedAt } = request;
  const parts = [statusWord(status)];
  if (error) parts.push(`${error.code}: ${error.message}`);
  const tokens = (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0);
  if (tokens > 0) parts.push(`${formatInteger(tokens)} tokens`);
  if (usage.cost_usd > 0) parts.push(`$${usage.cost_usd.toFixed(4)}`);
  const node = step("completed", "completed", since(start, completedAt), parts.join(" · "));
  node.dataset.event = "agent_completed";
  node.dataset.status = status;
  return node;
}

function step(kind, label, when, body) {
  return element(
    "li",
    { class: `step step-${kind}` },
    element("span", { class: "when" }, when),
    element("span", { class: "kind" }, label),
    element("span", { class: "body" }, body),
  );
}

/** Seconds since the run began, as `1.20`. */
function since(start, at) {
  const seconds = (Date.parse(at) - Date.parse(start)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds).toFixed(2) : "";
}
