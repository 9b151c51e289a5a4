/** The list of threads, each with rename and delete. */

import { element } from "./element.js";
import { formatWhen } from "./format.js";
import { icon } from "./icons.js";

export class ThreadsView {
  #list;
  #empty;
  #store;
  #actions;
  #current = null;
  #renaming = null;

  /** actions: `rename(thread, title)`, `remove(thread)` */
  constructor({ list, empty }, store, actions) {
    this.#list = list;
    this.#empty = empty;
    this.#store = store;
    this.#actions = actions;
  }

  show(current) {
    this.#current = current;
    this.update();
  }

  update() {
    if (this.#renaming !== null) return; // do not take the field away under the writer's hands
    const focused = document.activeElement?.closest?.("[data-thread-id]")?.dataset.threadId;
    this.#list.replaceChildren(...this.#store.threads.map((thread) => this.#row(thread)));
    this.#empty.hidden = this.#store.threads.length > 0;
    if (focused) this.#list.querySelector(`[data-thread-id="${CSS.escape(focused)}"] a`)?.focus();
  }

  #row(thread) {
    const current = thread.thread_id === this.#current;
    const busy = this.#store.busy(thread.thread_id);
    const link = element(
      "a",
      { href: `#/threads/${encodeURIComponent(thread.thread_id)}`, "aria-current": current && "page" },
      element("span", { class: "thread-name" }, thread.title || "Untitled"),
      busy
        ? element("span", { class: "thread-busy" }, element("span", { class: "visually-hidden" }, "working"))
        : element("span", { class: "thread-when" }, formatWhen(thread.updated_at)),
    );
    const rename = this.#button("rename", `Rename ${thread.title}`, () => this.#rename(thread, row));
    const remove = this.#button("remove", `Delete ${thread.title}`, () => this.#actions.remove(thread));
    const row = element("li", { class: "thread", "data-thread-id": thread.thread_id }, link, rename, remove);
    return row;
  }

  #button(name, label, onclick) {
    return element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick }, icon(name));
  }

  #rename(thread, row) {
    const field = element("input", { class: "thread-field", value: thread.title, maxlength: 200, "aria-label": "Title" });
    this.#renaming = thread.thread_id;
    row.replaceChildren(field);
    field.select();
    let settled = false;
    const settle = async (keep) => {
      if (settled) return;
      settled = true;
      const title = field.value.trim();
      if (keep && title !== "" && title !== thread.title) await this.#actions.rename(thread, title);
      this.#renaming = null;
      this.update();
      this.#list.querySelector(`[data-thread-id="${CSS.escape(thread.thread_id)}"] a`)?.focus();
    };
    field.addEventListener("blur", () => settle(true));
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "Enter") settle(true);
      if (event.key === "Escape") {
        event.stopPropagation();
        settle(false);
      }
    });
  }
}
