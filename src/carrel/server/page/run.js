/** One run as its events tell it: requests nested in requests, each with its thoughts and tool calls, and the answer. */

const OPEN_STATES = new Set(["sending", "queued", "running", "waiting"]);
const ENDED = new Set(["succeeded", "failed", "cancelled", "timed_out", "interrupted"]);

/** A request: the root's or a sub-agent's. `entries` holds thoughts, tool calls and sub-requests in log order. */
class Request {
  constructor(event) {
    this.id = event.request_id;
    this.parentId = event.parent_request_id;
    this.agent = event.agent;
    this.input = null;
    this.startedAt = event.created_at;
    this.status = null;
    this.durationMs = null;
    this.completedAt = null;
    this.error = null;
    this.usage = {};
    this.said = "";
    this.entries = [];
  }
}

/** A question and what became of it. It may be known from messages alone, from events alone, or from both. */
export class Run {
  #requests = new Map();
  #tools = new Map();
  #speaker = null;
  #offset = 0;
  #held = null;

  constructor({ runId = null, threadId = null, question = null, state = "unknown", createdAt = null }) {
    this.runId = runId;
    this.threadId = threadId;
    this.question = question;
    this.state = state;
    this.createdAt = createdAt;
    this.root = null;
    this.output = null;
    this.error = null;
    this.usage = {};
    this.position = null;
    /** Whether every event up to now is here, so that the next one may simply be added. */
    this.followed = false;
    /** Whether the log no longer keeps anything of it. */
    this.lost = false;
  }

  /** Whether the log no longer keeps the beginning. */
  get trimmed() {
    return this.root !== null && this.root.input === null;
  }

  get open() {
    return OPEN_STATES.has(this.state);
  }

  /** Whether it ended without an answer. */
  get cutShort() {
    return ENDED.has(this.state) && this.state !== "succeeded";
  }

  /** The offset of the newest event that was applied. */
  get offset() {
    return this.#offset;
  }

  get replaying() {
    return this.#held !== null;
  }

  /** The answer as far as it is written: the final one, else what the root or, before it speaks, a sub-agent said. */
  get answer() {
    return this.output ?? (this.root?.said || this.#speaker?.said || "");
  }

  get requests() {
    return [...this.#requests.values()];
  }

  get tools() {
    return [...this.#tools.values()];
  }

  /** An event of the live connection; true when it changed something here. */
  receive(event) {
    if (this.#held !== null) {
      this.#held.push(event);
      return false;
    }
    const first = event.type === "run_queued" || (event.type === "agent_started" && event.parent_request_id === null);
    if (first) this.followed = true;
    return this.followed && this.apply(event);
  }

  /** From now on another reader supplies the events; those of the live connection are kept until it meets them. */
  beginReplay() {
    this.#held = [];
  }

  /**
   * An event of that reader; true when the replay is over: the run is, or the reader has reached the first event that
   * the live connection kept, after which that one goes on by itself.
   */
  replay(event) {
    this.apply(event);
    if (this.root !== null && this.root.status !== null) this.endReplay();
    else if (this.#held?.length && this.#held[0].offset <= event.offset) this.endReplay();
    return !this.replaying;
  }

  endReplay() {
    const held = this.#held ?? [];
    this.#held = null;
    this.followed = true;
    for (const event of held) this.apply(event);
  }

  /** Stop a replay that cannot go on; what was kept is dropped with it, for a later replay brings it again. */
  abandonReplay() {
    this.#held = null;
  }

  /** Add one event; false when it was here already. */
  apply(event) {
    if (event.offset <= this.#offset) return false;
    this.#offset = event.offset;
    this.threadId = event.thread_id;
    this.createdAt ??= event.created_at;
    if (event.type === "run_queued") {
      this.state = "queued";
      this.position = event.data.position;
      return true;
    }
    const request = this.#requests.get(event.request_id) ?? this.#begin(event);
    this.#add(request, event);
    return true;
  }

  #begin(event) {
    const request = new Request(event);
    this.#requests.set(request.id, request);
    if (request.parentId === null) {
      if (this.root !== null) request.entries = this.root.entries; // of the stand-in, see below
      this.root = request;
      if (!ENDED.has(this.state)) this.state = "running";
      return request;
    }
    // The log may no longer keep the beginning: then a stand-in for the root holds what is left of the run.
    this.root ??= new Request({ ...event, request_id: null, parent_request_id: null, agent: "run" });
    const parent = this.#requests.get(request.parentId) ?? this.root;
    parent.entries.push({ kind: "request", request, at: event.created_at });
    return request;
  }

  #add(request, event) {
    const { type, data, created_at: at } = event;
    if (type === "agent_started") {
      request.input = data.input;
      if (request === this.root) this.question ??= data.input;
    } else if (type === "agent_thinking") request.entries.push({ kind: "thinking", text: data.text, step: data.step, at });
    else if (type === "agent_message") {
      request.said += data.text;
      this.#speaker = request;
    } else if (type === "tool_executing") this.#beginTool(request, data, at);
    else if (type === "tool_completed") Object.assign(this.#tools.get(data.tool_call_id) ?? {}, finishedTool(data));
    else if (type === "agent_completed") this.#complete(request, data, at);
  }

  #beginTool(request, data, at) {
    const entry = { kind: "tool", id: data.tool_call_id, tool: data.tool, arguments: data.arguments, status: null, at };
    this.#tools.set(entry.id, entry);
    request.entries.push(entry);
  }

  #complete(request, data, at) {
    request.status = data.status;
    request.durationMs = data.duration_ms;
    request.completedAt = at;
    request.error = data.error ?? null;
    request.usage = data.usage ?? {};
    if (request !== this.root) return;
    this.state = data.status;
    this.output = data.output ?? this.output;
    this.error = request.error;
    this.usage = request.usage;
  }
}

function finishedTool(data) {
  return { status: data.status, result: data.result, error: data.error ?? null, durationMs: data.duration_ms };
}
