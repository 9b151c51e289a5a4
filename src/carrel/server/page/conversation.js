/** The conversation of the thread that is shown, kept at its end while the reader is there. */

import { RunView } from "./run_view.js";

const NEAR_END = 80;

export class ConversationView {
  #list;
  #scroller;
  #actions;
  #views = new Map();
  #dirty = new Set();
  #frame = 0;
  #runs = [];

  constructor(list, scroller, actions) {
    this.#list = list;
    this.#scroller = scroller;
    this.#actions = actions;
    this.#keepEnd();
  }

  /** Show these runs, in this order. */
  show(runs) {
    this.#runs = runs;
    for (const [run, view] of this.#views) {
      if (runs.includes(run)) continue;
      view.node.remove();
      this.#views.delete(run);
    }
    runs.forEach((run, index) => {
      const { node } = this.#view(run);
      if (this.#list.children[index] !== node) this.#list.insertBefore(node, this.#list.children[index] ?? null);
    });
  }

  /** A run changed; it is drawn with the next frame, however often it changes until then. */
  changed(run) {
    if (!this.#runs.includes(run)) return;
    this.#dirty.add(run);
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #view(run) {
    let view = this.#views.get(run);
    if (view === undefined) {
      view = new RunView(run, this.#actions);
      this.#views.set(run, view);
    }
    return view;
  }

  #draw() {
    this.#frame = 0;
    for (const run of this.#dirty) this.#views.get(run)?.update();
    this.#dirty.clear();
  }

  /** Follow growing content, unless the reader has scrolled up. */
  #keepEnd() {
    const scroller = this.#scroller;
    let following = true;
    let height = 0;
    scroller.addEventListener("scroll", () => {
      // Content that grows or shrinks also scrolls; only a scroll at the same height is the reader's.
      if (scroller.scrollHeight === height) following = atEnd(scroller);
    });
    new ResizeObserver(() => {
      height = scroller.scrollHeight;
      if (following) scroller.scrollTop = height;
    }).observe(this.#list);
    this.scrollToEnd = () => {
      following = true;
      scroller.scrollTop = scroller.scrollHeight;
    };
  }
}

function atEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < NEAR_END;
}
