/** What the page knows about its user: threads, runs and imports. Views listen; only this file changes it. */

import { Run } from "./run.js";

const IMPORT_AGENT = "usage_import";
const TITLE_LENGTH = 60; // as the server cuts it

/**
 * Tells listeners: `threads` (the list), `conversation` (a thread's runs came or went), `run` (one run changed),
 * `moved` (a question asked in no thread has got one), `import` (events of an import), `stranger` (a run of a thread, or
 * with a question, that only HTTP can tell).
 */
export class Store {
  #listeners = new Map();
  #runs = new Map();
  #conversations = new Map();
  #proposed = [];
  threads = [];
  /** What the events said about imports, by import id. */
  imports = new Map();

  on(kind, listener) {
    this.#listeners.set(kind, [...(this.#listeners.get(kind) ?? []), listener]);
  }

  #tell(kind, detail) {
    for (const listener of this.#listeners.get(kind) ?? []) listener(detail);
  }

  /** Forget what events and HTTP said, before reading it again; questions not yet accepted stay. */
  reset() {
    for (const run of this.#runs.values()) run.abandonReplay();
    this.#runs.clear();
    this.#conversations.clear();
    for (const run of this.#proposed) this.#place(run);
  }

  // Threads

  setThreads(threads) {
    this.threads = threads;
    this.#tell("threads");
  }

  thread(threadId) {
    return this.threads.find((thread) => thread.thread_id === threadId) ?? null;
  }

  /** Whether a run of the thread is open, as far as this page has heard. */
  busy(threadId) {
    return this.conversation(threadId).some((run) => run.open);
  }

  forgetThread(threadId) {
    for (const run of this.conversation(threadId)) this.#runs.delete(run.runId);
    this.#conversations.delete(threadId);
    this.setThreads(this.threads.filter((thread) => thread.thread_id !== threadId));
  }

  // Conversations

  /** The runs of a thread, oldest first; of the thread that does not exist yet for `null`. */
  conversation(threadId) {
    return this.#conversations.get(threadId) ?? [];
  }

  /** Merge the messages of a thread, as HTTP gave them, with what events have told. */
  setMessages(threadId, messages) {
    const listed = new Set();
    for (const message of messages) {
      const run = this.#known(message.run_id, threadId);
      listed.add(run);
      run.createdAt ??= message.created_at;
      if (message.role === "user") run.question = message.text;
      else this.#answered(run, message);
    }
    const later = this.conversation(threadId).filter((run) => !listed.has(run));
    this.#conversations.set(threadId, [...listed, ...later]);
    this.#tell("conversation", threadId);
  }

  #answered(run, message) {
    if (run.root !== null) return; // events know more
    run.output = message.text;
    if (run.state === "unknown") run.state = "succeeded";
  }

  /** Merge the record of a run, as HTTP gave it. */
  setRecord(run, record) {
    if (run.root !== null || run.replaying) return;
    run.state = record.state;
    run.output = record.output ?? run.output;
    run.error = record.error ?? null;
    run.usage = record.usage ?? {};
    run.question ??= record.input;
    this.changed(run);
  }

  #known(runId, threadId) {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = new Run({ runId, threadId });
      this.#runs.set(runId, run);
    }
    return run;
  }

  #place(run) {
    this.#conversations.set(run.threadId, [...this.conversation(run.threadId), run]);
  }

  changed(run) {
    this.#tell("run", run);
  }

  // Runs that this page starts

  /** Show a question before the server has it. */
  propose(threadId, question) {
    const run = new Run({ threadId, question, state: "sending", createdAt: new Date().toISOString() });
    this.#proposed.push(run);
    this.#place(run);
    this.#tell("conversation", threadId);
    return run;
  }

  /** The server took it; returns the run to show, which is another one when its events came first. */
  accept(proposal, { thread_id: threadId, run_id: runId }) {
    const known = this.#runs.get(runId);
    if (known === proposal) return proposal;
    if (known === undefined) {
      this.#adopt(proposal, threadId, runId);
      return proposal;
    }
    known.question = proposal.question;
    this.withdraw(proposal);
    this.#tell("conversation", threadId);
    this.changed(known);
    return known;
  }

  /** The server refused it: as if it had never been asked. */
  withdraw(proposal) {
    this.#proposed = this.#proposed.filter((run) => run !== proposal);
    const rest = this.conversation(proposal.threadId).filter((run) => run !== proposal);
    this.#conversations.set(proposal.threadId, rest);
    this.#tell("conversation", proposal.threadId);
  }

  #adopt(proposal, threadId, runId) {
    const before = proposal.threadId;
    this.withdraw(proposal);
    proposal.threadId = threadId;
    proposal.runId = runId;
    if (proposal.state === "sending") proposal.state = "queued";
    this.#runs.set(runId, proposal);
    this.#place(proposal);
    this.#tell("conversation", threadId);
    if (before === null) {
      this.#listAlready(proposal);
      this.#tell("moved", proposal);
      this.#tell("stranger", proposal);
    }
  }

  /** The thread that a question has begun is in the list at once; the server's own entry follows. */
  #listAlready({ threadId, question, createdAt }) {
    if (this.thread(threadId) !== null) return;
    const title = question.trim().split(/\s+/).join(" ").slice(0, TITLE_LENGTH);
    this.setThreads([{ thread_id: threadId, title, updated_at: createdAt }, ...this.threads]);
  }

  // Events

  /** One event of the live connection. */
  apply(event) {
    if (event.agent === IMPORT_AGENT && event.run_id === event.thread_id) {
      this.#applyImport(event);
      return;
    }
    const run = this.#runs.get(event.run_id) ?? this.#meet(event);
    const before = run.state;
    if (!run.receive(event)) return;
    this.#tell("run", run);
    if (run.question === null || this.thread(run.threadId) === null) this.#tell("stranger", run);
    if (before !== run.state) this.#tell("threads");
  }

  /** A run that this page hears of for the first time: asked here and not yet accepted, or asked elsewhere. */
  #meet(event) {
    const root = event.type === "agent_started" && event.parent_request_id === null;
    const proposal = this.#proposed.find(
      (run) => root && run.question === event.data.input && (run.threadId ?? event.thread_id) === event.thread_id,
    );
    if (proposal !== undefined) {
      this.#adopt(proposal, event.thread_id, event.run_id);
      return proposal;
    }
    const run = this.#known(event.run_id, event.thread_id);
    if (root) run.question = event.data.input;
    this.#place(run);
    this.#tell("conversation", event.thread_id);
    return run;
  }

  #applyImport(event) {
    const seen = this.imports.get(event.run_id) ?? { progress: "", status: null };
    if (event.type === "agent_thinking") seen.progress = event.data.text;
    if (event.type === "agent_completed") seen.status = event.data.status;
    seen.heardAt = Date.now();
    this.imports.set(event.run_id, seen);
    this.#tell("import", event.run_id);
  }
}
