/** The keyboard shortcuts, all with a modifier, so that they never take a letter from speech or switch input. */

import { element } from "./element.js";

export class Shortcuts {
  #entries;

  /** entries: `{code, keys, says, action}`; `code` is a physical key that is pressed with Alt. */
  constructor(entries) {
    this.#entries = entries;
    addEventListener("keydown", (event) => this.#pressed(event));
  }

  #pressed(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const entry = this.#entries.find(({ code }) => code === event.code);
    if (entry === undefined) return;
    event.preventDefault();
    entry.action();
  }

  /** Fill a description list with them. */
  list(node) {
    const rows = [
      ...this.#entries.map(({ keys, says }) => [keys, says]),
      ["Enter", "Send the message"],
      ["Shift Enter", "Begin a new line"],
      ["Esc", "Close a dialog or the thread list"],
    ];
    node.replaceChildren(
      ...rows.map(([keys, says]) =>
        element("div", {}, element("dt", {}, keys.split(" ").map((key) => element("kbd", {}, key))), element("dd", {}, says)),
      ),
    );
  }
}
