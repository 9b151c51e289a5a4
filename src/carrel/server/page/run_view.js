/** One run in the conversation: the question, the steps, the answer. */

import { element, setText } from "./element.js";
import { formatInteger, formatWhen } from "./format.js";
import { icon } from "./icons.js";
import { MarkdownView } from "./markdown.js";
import { TimelineView, statusWord } from "./timeline.js";

const LONG_QUESTION = 280;
const COPIED_MS = 1500;

export class RunView {
  #run;
  #question = element("h2", { class: "question" });
  #timeline;
  #answer = element("div", { class: "answer" });
  #markdown = new MarkdownView(this.#answer);
  #failure = element("p", { class: "failure", role: "note", hidden: true });
  #stop;
  #copy;
  #foot = element("span", { class: "run-foot-text" });

  /** actions: `cancel(run)`, `replay(run)` */
  constructor(run, actions) {
    this.#run = run;
    this.#timeline = new TimelineView(run, () => actions.replay(run));
    this.#stop = element("button", { type: "button", class: "stop", hidden: true }, icon("stop"), "Stop");
    this.#stop.addEventListener("click", () => this.#cancel(actions));
    this.#copy = element("button", { type: "button", class: "quiet copy", hidden: true }, icon("copy"), "Copy");
    this.#copy.addEventListener("click", () => this.#copyAnswer());
    this.node = element(
      "article",
      { class: "run" },
      this.#question,
      element("div", { class: "work" }, this.#timeline.node, this.#stop),
      this.#answer,
      this.#failure,
      element("footer", { class: "run-foot" }, this.#copy, this.#foot),
    );
    this.update();
  }

  update() {
    const run = this.#run;
    this.node.hidden = run.question === null;
    this.node.dataset.state = run.state;
    if (run.runId !== null) this.node.dataset.runId = run.runId;
    // An answer that is written while the page is open is read out when it is complete, not piece by piece.
    if (run.open) this.#answer.setAttribute("aria-live", "polite");
    this.#answer.setAttribute("aria-busy", String(run.open));
    setText(this.#question, run.question ?? "");
    this.#question.classList.toggle("long", (run.question ?? "").length > LONG_QUESTION);
    this.#timeline.update();
    this.#markdown.update(run.answer, { final: !run.open });
    this.#answer.classList.toggle("writing", run.open && run.answer !== "");
    this.#updateEnd(run);
  }

  #updateEnd(run) {
    this.#stop.hidden = !run.open || run.runId === null;
    // Browsers offer the clipboard on HTTPS and on the loopback address only.
    this.#copy.hidden = run.open || run.answer === "" || !navigator.clipboard;
    this.#failure.hidden = !run.cutShort;
    if (run.cutShort) setText(this.#failure, failureText(run));
    setText(this.#foot, run.open ? "" : footText(run));
  }

  async #cancel(actions) {
    this.#stop.disabled = true;
    try {
      await actions.cancel(this.#run);
    } finally {
      this.#stop.disabled = false;
    }
  }

  async #copyAnswer() {
    await navigator.clipboard.writeText(this.#run.answer);
    this.#copy.replaceChildren(icon("done"), "Copied");
    setTimeout(() => this.#copy.replaceChildren(icon("copy"), "Copy"), COPIED_MS);
  }
}

function failureText(run) {
  if (run.state === "cancelled") return "Stopped before it was finished.";
  if (run.state === "interrupted") return "The server stopped while this was running. Ask again to start over.";
  const reason = run.error?.message ? `: ${run.error.message}` : ".";
  return `This run ${statusWord(run.state)}${reason}`;
}

function footText(run) {
  const tokens = (run.usage.input_tokens ?? 0) + (run.usage.output_tokens ?? 0);
  const parts = [run.createdAt && formatWhen(run.createdAt)];
  if (tokens > 0) parts.push(`${formatInteger(tokens)} tokens`);
  if (run.usage.cost_usd > 0) parts.push(`$${run.usage.cost_usd.toFixed(4)}`);
  return parts.filter(Boolean).join(" · ");
}
