/**
 * One import of usage data: the upload, and then how far the server has come with the file.
 *
 * The import's own events say that something happened; the record of the import, read over HTTP, says what it is. While
 * no event arrives (no connection, or a server that is busy with the file) the record is read on a clock instead.
 */

const QUIET_MS = 2000;

export class ImportJob {
  #api;
  #store;
  #changed;
  #wake = null;
  #mapping = "";
  file;
  /** `sending`, `running`, and the ends: `succeeded`, `failed`, `interrupted`, or `refused` when not even begun. */
  state = "sending";
  /** The part of the file that was sent, 0 to 1. */
  sent = 0;
  importId = null;
  record = null;
  problem = "";

  constructor({ api, store, file, changed }) {
    this.#api = api;
    this.#store = store;
    this.#changed = changed;
    this.file = file;
  }

  get over() {
    return this.state !== "sending" && this.state !== "running";
  }

  /** What the server says that it is doing. */
  get progress() {
    return this.#store.imports.get(this.importId)?.progress ?? "";
  }

  /**
   * Upload and follow to the end; `mapping` says what the columns of an unknown table mean (by default, what it said
   * the last time), with `skip` rows that are wrong are left out instead of refusing the file.
   */
  async run({ mapping = this.#mapping, skip = false } = {}) {
    this.#mapping = mapping;
    Object.assign(this, { state: "sending", sent: 0, importId: null, record: null, problem: "" });
    this.#changed();
    const form = new FormData();
    if (mapping !== "") form.append("mapping", mapping);
    if (skip) form.append("on_error", "skip");
    form.append("file", this.file);
    try {
      this.importId = (await this.#api.upload("usage/imports", form, (sent, total) => this.#progressed(sent / total)))
        .import_id;
      this.state = "running";
      this.#changed();
      await this.#follow();
    } catch (error) {
      this.state = "refused";
      this.problem = error.message;
    }
    this.#changed();
  }

  /** An event of the import with this id has arrived. */
  heard(importId) {
    if (importId !== this.importId) return;
    this.#changed();
    this.#wake?.();
  }

  #progressed(part) {
    this.sent = Number.isFinite(part) ? part : 0;
    this.#changed();
  }

  async #follow() {
    while (!this.over) {
      try {
        this.record = await this.#api.get(`usage/imports/${encodeURIComponent(this.importId)}`);
        this.state = this.record.state;
      } catch (error) {
        if (error.over || error.status === 404) throw error; // anything else is worth another try
      }
      this.#changed();
      if (!this.over) await this.#news();
    }
  }

  #news() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, QUIET_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
