/** The conversation of the thread that is shown, kept at its end while the reader is there. */

import { RunView } from "./run_view.js";

// Whoever scrolls down to within this many pixels of the end wants to be there.
const NEAR_END = 40;
const ROUNDING = 1;

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

  /** Follow growing content while the reader is at its end; whoever scrolls up, however little, stays there. */
  #keepEnd() {
    const scroller = this.#scroller;
    let following = true;
    let { scrollHeight: height, scrollTop: top } = scroller;
    const settle = () => {
      if (following) scroller.scrollTop = scroller.scrollHeight;
      ({ scrollHeight: height, scrollTop: top } = scroller);
    };
    scroller.addEventListener("scroll", () => {
      // Where content shrinks, the browser scrolls up by itself; at the same height it was the reader.
      const up = scroller.scrollTop < top && scroller.scrollHeight >= height;
      following = atEnd(scroller, up ? ROUNDING : NEAR_END) || (following && !up);
      top = scroller.scrollTop;
    });
    const sizes = new ResizeObserver(settle);
    sizes.observe(this.#list);
    sizes.observe(scroller); // a growing message box or a keyboard on the screen must not hide the end
    this.scrollToEnd = () => {
      following = true;
      settle();
    };
  }
}

function atEnd({ scrollHeight, scrollTop, clientHeight }, margin) {
  return scrollHeight - scrollTop - clientHeight <= margin;
}
