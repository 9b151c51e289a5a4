/** Uploading usage data: by button, by dropping a file anywhere, with a dialog for the details and a tray for the rest. */

import { element, setText } from "./element.js";
import { ImportJob } from "./import_job.js";
import { ImportsView } from "./imports.js";
import { asksForMapping, drawImport, importLine, showProgress } from "./import_view.js";

const KINDS = ".csv,.jsonl,.ndjson,.json,.tsv,text/csv,application/json";
const TRAY_MS = 8000;
const KINDS_TEXT =
  "CSV or JSONL: the usage exports of OpenAI and LiteLLM, carrel’s own format, or any table (you will be asked what " +
  "its columns mean). Each row is one use of a model: when, which model, how many tokens.";

const byId = (id) => document.getElementById(id);

export class UsageData {
  #api;
  #store;
  #imported;
  #job = null;
  #dialog = byId("data-dialog");
  #body = byId("data-body");
  #tray = byId("tray");
  #shown = null; // the state that the body was drawn for
  #update = () => {};
  #imports;
  #timer = 0;

  /** `imported()` is called when new usage data can be asked about. */
  constructor(api, store, imported) {
    this.#api = api;
    this.#store = store;
    this.#imported = imported;
    this.#imports = new ImportsView(api, imported);
    store.on("import", (importId) => this.#job?.heard(importId));
    this.#buildTray();
    this.#acceptDrops();
    this.#dialog.addEventListener("close", () => this.#draw());
  }

  open() {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#imports.refresh();
    this.#draw();
  }

  #start(file) {
    if (this.#job !== null && !this.#job.over) return;
    const job = new ImportJob({ api: this.#api, store: this.#store, file, changed: () => this.#draw() });
    this.#job = job;
    this.#shown = null;
    this.#follow(job);
    this.open();
  }

  async #follow(job, options) {
    await job.run(options);
    this.#imports.refresh();
    if (job.state === "succeeded") this.#imported();
    else if (!this.#dialog.open) this.open();
  }

  // The dialog

  #draw() {
    this.#drawTray();
    const job = this.#job;
    const stage = job?.state ?? "idle";
    if (stage === this.#shown) {
      this.#update();
      return;
    }
    this.#shown = stage;
    const parts = [];
    if (job !== null) {
      const { node, update } = drawImport(job, (options) => this.#follow(job, options));
      this.#update = update;
      parts.push(node);
    }
    if (job === null || (job.over && !asksForMapping(job))) parts.push(this.#picker(job !== null), this.#imports.node);
    this.#body.replaceChildren(...parts);
  }

  #picker(again) {
    const input = element("input", { type: "file", accept: KINDS, id: "file", class: "visually-hidden" });
    input.addEventListener("change", () => {
      if (input.files.length > 0) this.#start(input.files[0]);
    });
    return element(
      "div",
      { class: again ? "picker again" : "picker" },
      input,
      element("label", { for: "file", class: "picker-label" }, again ? "Upload another file" : "Choose a file"),
      element("p", { class: "muted" }, "or drop it anywhere on the page"),
      !again && element("p", { class: "muted picker-kinds" }, KINDS_TEXT),
    );
  }

  // The tray

  #buildTray() {
    this.#tray.append(
      element("span", { class: "tray-text" }),
      element("progress", { max: 1, "aria-label": "Progress of the import" }),
      element("button", { type: "button", class: "quiet", onclick: () => this.open() }, "Details"),
    );
  }

  #drawTray() {
    const job = this.#job;
    this.#tray.hidden = job === null || this.#dialog.open;
    if (this.#tray.hidden) return;
    const [text, progress] = this.#tray.children;
    setText(text, importLine(job));
    showProgress(progress, job);
    progress.hidden = job.over;
    clearTimeout(this.#timer);
    if (job.state === "succeeded") this.#timer = setTimeout(() => (this.#tray.hidden = true), TRAY_MS);
  }

  // Dropping

  #acceptDrops() {
    const overlay = byId("drop");
    let inside = 0;
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => {
      if (!carriesFiles(event)) return;
      inside += 1;
      overlay.hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (!carriesFiles(event)) return;
      inside -= 1;
      if (inside <= 0) overlay.hidden = true;
    });
    addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      inside = 0;
      overlay.hidden = true;
      this.#start(event.dataTransfer.files[0]);
    });
  }
}
