/** The files that were imported before, each of which can be removed with all its records. */

import { confirmLoss } from "./dialog.js";
import { element } from "./element.js";
import { formatCount, formatWhen } from "./format.js";
import { icon } from "./icons.js";
import { explain } from "./problem.js";

export class ImportsView {
  #api;
  #changed;
  node = element("section", { class: "imports", hidden: true });

  /** `changed()` is called when records are gone. */
  constructor(api, changed) {
    this.#api = api;
    this.#changed = changed;
  }

  async refresh() {
    let imports;
    try {
      ({ imports } = await this.#api.get("usage/imports"));
    } catch {
      return; // what was shown stays
    }
    const kept = imports.filter(({ state }) => state === "succeeded");
    this.node.hidden = kept.length === 0;
    this.node.replaceChildren(
      element("h3", {}, "Imported so far"),
      element("ul", {}, kept.map((one) => this.#row(one))),
    );
  }

  #row(one) {
    const label = `Remove ${one.file_name}`;
    return element(
      "li",
      {},
      element("span", { class: "imports-name" }, one.file_name),
      element("span", { class: "muted" }, `${formatCount(one.rows_imported, "row")} · ${formatWhen(one.finished_at)}`),
      element(
        "button",
        { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: () => this.#remove(one) },
        icon("remove"),
      ),
    );
  }

  async #remove(one) {
    const text = `The ${formatCount(one.rows_imported, "record")} of “${one.file_name}” will no longer count in any answer.`;
    if (!(await confirmLoss({ title: "Remove this import?", text, yes: "Remove" }))) return;
    try {
      await this.#api.delete(`usage/imports/${encodeURIComponent(one.import_id)}`);
    } catch (error) {
      this.node.prepend(element("p", { class: "problem", role: "alert" }, explain(error)));
      return;
    }
    await this.refresh();
    this.#changed();
  }
}
