/**
 * The WebSocket client of the wire protocol, version 1 (docs/reference/protocol.md, section 2).
 *
 * It knows no DOM and no HTTP. It connects, comes back by itself, resumes, and hands over every event exactly once and
 * in order; commands given while it is away are sent when it is back, under the id they had.
 */

import { backoff } from "./backoff.js";
import { newIdentifier } from "./identifier.js";

const SUBPROTOCOL = "carrel.v1";
const ACK_EVENTS = 8;
const ACK_MS = 250;
const LONGEST_FRAME = 64 * 1024;
// The server sends a heartbeat every 15 s; two of them missed and a margin.
const SILENCE_MS = 40_000;
// A heartbeat may overtake events that are on their way; only what is still missing after this time was lost.
const BEHIND_MS = 3_000;
const PROBE_MS = 4_000;
const OPENING_MS = 15_000;

const CLOSED_FOR_TOKEN = new Set([4501, 4502]);
const REASONS = Object.freeze({
  4500: "The connection was too slow to log in.",
  4503: "The server did not understand this page. Reload it.",
  4504: "The server does not accept connections from this address.",
  4505: "Too many pages of this account are open. Close one and try again.",
});

/** An `error` frame that answered a command. */
export class CommandError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "CommandError";
    this.code = code;
  }
}

/** One connection of one user, kept up until `stop`. */
export class ProtocolClient {
  #url;
  #hooks;
  #socket = null;
  #live = false;
  #stopped = true;
  #attempt = 0;
  #position = null; // {epoch, offset}: the last event that was handled
  #userId = null;
  #pending = new Map(); // id -> {frame, resolve, reject}
  #unacknowledged = 0;
  #refreshed = false; // whether a fresh token was fetched because the server refused the last one
  #timers = new Map();

  /**
   * hooks:
   *   token({fresh})   a promise of an access token; rejects when it cannot be had (`over` true: never again)
   *   handle(event)    one event, once, in order
   *   reload(ready)    state must be read over HTTP: the first connection, and every gap
   *   show(state)      {name: connecting | live | waiting | stopped, until?, reason?}
   *   over()           the login is over
   */
  constructor(url, hooks) {
    this.#url = url;
    this.#hooks = hooks;
  }

  /** The last event handled, or null before the first `ready`. */
  get position() {
    return this.#position;
  }

  get live() {
    return this.#live;
  }

  start() {
    this.#stopped = false;
    this.#attempt = 0;
    this.#connect();
  }

  /** Close for good; pending commands are rejected. */
  stop() {
    this.#stopped = true;
    this.#drop(1000, "left");
    for (const { reject } of this.#pending.values()) reject(new CommandError("stopped", "The connection was closed."));
    this.#pending.clear();
  }

  /** Connect now instead of when the waiting time is over. */
  retry() {
    if (this.#stopped || this.#socket === null) this.start();
  }

  /** Start a run; resolves to the `accepted` frame. The same id is never started twice. */
  startRun({ id = newIdentifier(), threadId, input, agent, ifBusy }) {
    const frame = { type: "start_run", id, input };
    if (threadId) frame.thread_id = threadId;
    if (agent) frame.agent = agent;
    if (ifBusy) frame.if_busy = ifBusy;
    return this.#command(frame);
  }

  cancelRun(runId) {
    return this.#command({ type: "cancel_run", id: newIdentifier(), run_id: runId });
  }

  /** Give the open connection a fresh token before the old one expires. */
  renew(token) {
    if (this.#live) this.#send({ type: "authenticate", token });
  }

  /** Ask whether the connection still answers; when it does not, connect again. */
  probe() {
    if (this.#stopped) return;
    if (!this.#live) {
      this.retry();
      return;
    }
    this.#send({ type: "ping", id: newIdentifier() });
    this.#after("probe", PROBE_MS, () => this.#reconnect(4002, "no answer"));
  }

  // Connecting

  async #connect() {
    this.#clear("retry");
    this.#drop(1000, "again");
    this.#hooks.show({ name: "connecting" });
    const socket = (this.#socket = { close() {} }); // holds the place while the token is fetched
    let token;
    try {
      token = await this.#hooks.token({ fresh: false });
    } catch (error) {
      if (this.#socket === socket) this.#withoutToken(error);
      return;
    }
    if (this.#stopped || this.#socket !== socket) return;
    this.#open(token);
  }

  #withoutToken(error) {
    this.#socket = null;
    if (error.over) {
      this.#stopped = true;
      this.#hooks.over();
    } else this.#wait();
  }

  #open(token) {
    const socket = (this.#socket = new WebSocket(this.#url, SUBPROTOCOL));
    const mine = (handler) => (event) => {
      if (this.#socket === socket) handler(event);
    };
    socket.onopen = mine(() => {
      const frame = { type: "authenticate", token };
      if (this.#position) frame.resume = this.#position;
      this.#send(frame);
    });
    socket.onmessage = mine((event) => this.#receive(event.data));
    socket.onclose = mine((event) => this.#closed(event.code));
    this.#after("opening", OPENING_MS, () => this.#reconnect(1000, "opening took too long"));
  }

  /** Forget the socket at once: on a dead network its own `close` event may take minutes. */
  #drop(code, reason) {
    for (const name of ["silence", "behind", "probe", "ack", "opening", "retry"]) this.#clear(name);
    this.#live = false;
    this.#unacknowledged = 0;
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.close(code, reason);
  }

  #reconnect(code, reason) {
    this.#drop(code, reason);
    this.#wait();
  }

  #wait() {
    if (this.#stopped) return;
    const ms = backoff(this.#attempt++);
    this.#hooks.show({ name: "waiting", until: Date.now() + ms });
    this.#after("retry", ms, () => this.#connect());
  }

  #closed(code) {
    this.#drop(1000, "");
    if (CLOSED_FOR_TOKEN.has(code)) this.#renewAfterRefusal();
    else if (code >= 4500 && code < 5000) this.#giveUp(code);
    else this.#wait();
  }

  async #renewAfterRefusal() {
    if (this.#refreshed) {
      this.#stopped = true;
      this.#hooks.over();
      return;
    }
    this.#refreshed = true;
    try {
      await this.#hooks.token({ fresh: true });
    } catch (error) {
      this.#withoutToken(error);
      return;
    }
    if (!this.#stopped) this.#connect();
  }

  #giveUp(code) {
    this.#stopped = true;
    this.#hooks.show({ name: "stopped", reason: REASONS[code] ?? `The server closed the connection (${code}).` });
  }

  // Receiving

  #receive(text) {
    this.#after("silence", SILENCE_MS, () => this.#reconnect(4002, "silence"));
    const frame = JSON.parse(text);
    switch (frame.type) {
      case "ready":
        this.#ready(frame);
        break;
      case "events":
        for (const event of frame.events) if (!this.#event(event)) return;
        break;
      case "heartbeat":
        this.#heartbeat(frame.top);
        break;
      case "accepted":
        this.#settle(frame.id, ({ resolve }) => resolve(frame));
        break;
      case "error":
        this.#settle(frame.id, ({ reject }) => reject(new CommandError(frame.code, frame.message)));
        break;
      case "pong":
        this.#clear("probe");
        break;
      default: // a newer server may send more; version 1 only ever adds
    }
  }

  #ready(frame) {
    if (this.#live) return; // the answer to a renewed token: the position stands
    this.#clear("opening");
    this.#live = true;
    this.#attempt = 0;
    this.#refreshed = false;
    this.#userId = frame.user_id;
    if (this.#position === null || frame.gap) {
      this.#position = { epoch: frame.epoch, offset: frame.top };
      this.#hooks.reload(frame);
    }
    this.#hooks.show({ name: "live" });
    for (const { frame: command } of this.#pending.values()) this.#send(command);
  }

  /** Whether to go on with the next event of the frame. */
  #event(event) {
    if (event.user_id !== this.#userId || event.epoch !== this.#position?.epoch) {
      this.#reconnect(1000, "an event of another log");
      return false;
    }
    if (event.offset <= this.#position.offset) return true; // arrived twice
    if (event.offset !== this.#position.offset + 1) {
      this.#reconnect(1000, "a hole");
      return false;
    }
    try {
      this.#hooks.handle(event);
    } catch (error) {
      reportError(error); // a mistake in drawing one event must not keep the next ones away
    }
    this.#position = { epoch: event.epoch, offset: event.offset };
    this.#unacknowledged += 1;
    const endsRun = event.type === "agent_completed" && event.parent_request_id === null;
    if (endsRun || this.#unacknowledged >= ACK_EVENTS) this.#acknowledge();
    else if (!this.#timers.has("ack")) this.#after("ack", ACK_MS, () => this.#acknowledge());
    return true;
  }

  #acknowledge() {
    this.#clear("ack");
    this.#unacknowledged = 0;
    this.#send({ type: "ack", offset: this.#position.offset });
  }

  #heartbeat(top) {
    if (!this.#position || top <= this.#position.offset || this.#timers.has("behind")) return;
    this.#after("behind", BEHIND_MS, () => {
      if (this.#position.offset < top) this.#reconnect(1000, "behind");
    });
  }

  // Sending

  #command(frame) {
    if (new TextEncoder().encode(JSON.stringify(frame)).length > LONGEST_FRAME) {
      return Promise.reject(new CommandError("input", "This is too long to send at once. Shorten it, or upload it as a file."));
    }
    return new Promise((resolve, reject) => {
      this.#pending.set(frame.id, { frame, resolve, reject });
      if (this.#live) this.#send(frame);
    });
  }

  #settle(id, how) {
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      how({ resolve() {}, reject: (error) => console.warn("carrel:", error.code, error.message) });
      return;
    }
    this.#pending.delete(id);
    how(pending);
  }

  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  // Timers, one per purpose

  #after(name, ms, action) {
    this.#clear(name);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        action();
      }, ms),
    );
  }

  #clear(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
