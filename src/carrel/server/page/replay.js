/**
 * Reads the events of one run from the log over HTTP: for a page loaded in mid-answer, and for the steps of old runs.
 *
 * The live connection follows from the top of the log, so the two readers must be joined: while a replay goes on, the
 * run keeps back what the live connection brings, until the replay reads the first of those events itself. Both read
 * the same log in the same order, so from there on the live connection has everything. No bound has to be known.
 */

import { backoff } from "./backoff.js";

// A browser opens six connections to a server; the others must stay free for everything else.
const AT_ONCE = 3;
// A run that is over, and of which nothing came in so many heartbeats (10 s each), is not in the log any more.
const PATIENCE = 2;

/** All replays of this page. `where()` gives `{epoch, oldest}` of the log. */
export class Replays {
  #api;
  #where;
  #changed;
  #running = new Map();
  #waiting = [];

  constructor(api, where, changed) {
    this.#api = api;
    this.#where = where;
    this.#changed = changed;
  }

  /** Replay a run unless it is here already; resolves when the replay is over or was stopped. */
  async start(run) {
    if (run.followed || run.replaying || run.runId === null) return;
    const abort = new AbortController();
    run.beginReplay();
    if (this.#running.size >= AT_ONCE) await new Promise((resolve) => this.#waiting.push(resolve));
    this.#running.set(run, abort);
    let { epoch, oldest } = this.#where();
    for (let attempt = 0; !abort.signal.aborted && run.replaying; attempt++) {
      if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
      try {
        const gap = await this.#read(run, { epoch, offset: Math.max(run.offset, oldest - 1) }, abort.signal);
        if (gap !== null) ({ epoch, oldest } = gap);
      } catch (error) {
        if (error.over || (error.status >= 400 && error.status < 500 && error.status !== 429)) abort.abort();
      }
    }
    if (run.replaying) run.abandonReplay();
    this.#running.delete(run);
    this.#waiting.shift()?.();
    this.#changed(run);
  }

  /** Stop all of them; the runs are left as not followed. */
  stop() {
    for (const abort of this.#running.values()) abort.abort();
  }

  /** Read until the replay is over (null), the stream ends (null), or the log says where it begins now. */
  async #read(run, position, signal) {
    let heartbeats = 0;
    for await (const message of this.#api.events({ ...position, runId: run.runId, signal })) {
      if (signal.aborted) return null;
      if (message.event === "gap") return JSON.parse(message.data);
      if (message.comment === "heartbeat" && run.root === null && !run.open) {
        run.lost = ++heartbeats >= PATIENCE;
        if (run.lost) run.endReplay();
      } else if (message.data !== undefined) run.replay(JSON.parse(message.data));
      this.#changed(run);
      if (!run.replaying) return null;
    }
    return null;
  }
}
