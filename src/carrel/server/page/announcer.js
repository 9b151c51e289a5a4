/** Says in words what happens: to assistive technology, and to everybody when something went wrong. */

import { setText } from "./element.js";
import { statusWord } from "./timeline.js";

const OPEN = new Set(["sending", "queued", "running", "waiting"]);

/** A polite live region: one sentence when a run begins and one when it ends. */
export class Announcer {
  #node;
  #states = new WeakMap();

  constructor(node) {
    this.#node = node;
  }

  /** A question was asked here: how it ends is told, however quickly. */
  expect(run) {
    this.#states.set(run, "sending");
  }

  run(run) {
    const before = this.#states.get(run);
    if (before === run.state || run.replaying) return;
    this.#states.set(run, run.state);
    if (run.state === "running") setText(this.#node, "The agents are working.");
    else if (run.state === "queued") setText(this.#node, "Your question waits for its turn.");
    else if (OPEN.has(before) && !run.open) setText(this.#node, ended(run.state));
  }
}

function ended(state) {
  return state === "succeeded" ? "The answer is complete." : `The run ${statusWord(state)}.`;
}

/** What went wrong, until the next attempt. */
export class Notice {
  #node;

  constructor(node) {
    this.#node = node;
  }

  show(text) {
    setText(this.#node, text);
    this.#node.hidden = false;
  }

  clear() {
    this.#node.hidden = true;
    setText(this.#node, "");
  }
}
