/** Everything behind the login: joins the connection, the store and the views, and decides what is loaded when. */

import { Announcer, Notice } from "./announcer.js";
import { Api } from "./api.js";
import { Composer } from "./composer.js";
import { ConnectionView } from "./connection.js";
import { ConversationView } from "./conversation.js";
import { confirmLoss, prepareDialogs } from "./dialog.js";
import { Drawer } from "./drawer.js";
import { setText } from "./element.js";
import { icon } from "./icons.js";
import { explain } from "./problem.js";
import { ProtocolClient } from "./protocol.js";
import { Replays } from "./replay.js";
import { currentThread, goTo, onRoute } from "./route.js";
import { Shortcuts } from "./shortcuts.js";
import { Store } from "./store.js";
import { ThreadsView } from "./threads.js";
import { UsageData } from "./usage_data.js";
import { Welcome } from "./welcome.js";

const SETTLE_MS = 250;
const MOST_RECORDS = 20;

const byId = (id) => document.getElementById(id);

export class Workspace {
  #api;
  #session;
  #client;
  #leave;
  #store = new Store();
  #replays;
  #log = null; // {epoch, oldest} of the last `ready`
  #loaded = new Set();
  #refreshing = 0;
  #notice = new Notice(byId("notice"));
  #announcer = new Announcer(byId("announcer"));
  #threads;
  #conversation;
  #composer;
  #data;
  #welcome;
  #drawer;

  constructor(base, session, { leave }) {
    this.#session = session;
    this.#leave = leave;
    this.#api = new Api(base, session);
    const socket = new URL("../../ws", base);
    socket.protocol = socket.protocol.replace("http", "ws");
    const connection = new ConnectionView(byId("connection"), byId("reconnect"), () => this.#client.retry());
    this.#client = new ProtocolClient(socket, {
      token: (options) => session.token(options),
      handle: (event) => this.#store.apply(event),
      reload: (ready) => this.#reload(ready),
      show: (state) => {
        connection.show(state);
        if (state.name === "live") this.#load(currentThread());
      },
      over: leave,
    });
    this.#replays = new Replays(this.#api, () => this.#log, (run) => this.#store.changed(run));
    this.#buildViews();
    this.#listen();
  }

  open() {
    byId("workspace").hidden = false;
    this.#show(currentThread());
    this.#composer.focus();
    this.#client.start();
  }

  renew(token) {
    this.#client.renew(token);
  }

  close() {
    this.#replays.stop();
    this.#client.stop();
    byId("workspace").hidden = true;
  }

  // Views

  #buildViews() {
    prepareDialogs();
    this.#threads = new ThreadsView({ list: byId("thread-list"), empty: byId("no-threads") }, this.#store, {
      rename: (thread, title) => this.#rename(thread, title),
      remove: (thread) => this.#remove(thread),
    });
    this.#conversation = new ConversationView(byId("conversation"), byId("scroller"), {
      cancel: (run) => this.#attempt(() => this.#client.cancelRun(run.runId)),
      replay: (run) => this.#replays.start(run),
    });
    this.#composer = new Composer(byId("composer"), (text) => this.#ask(text));
    this.#data = new UsageData(this.#api, this.#store, () => this.#welcome.refresh());
    this.#welcome = new Welcome(this.#api, {
      ask: (text) => this.#ask(text),
      write: () => this.#composer.focus(),
      upload: () => this.#data.open(),
    });
    this.#drawer = new Drawer({
      rail: byId("rail"),
      main: byId("main"),
      scrim: byId("scrim"),
      opener: byId("rail-open"),
      closer: byId("rail-close"),
    });
    this.#buildControls();
  }

  #buildControls() {
    const icons = { "rail-open": "menu", "rail-close": "close", theme: "theme", help: "help", logout: "leave" };
    for (const [id, name] of Object.entries(icons)) byId(id).append(icon(name));
    byId("new-thread").prepend(icon("plus"));
    byId("upload").prepend(icon("attach"));
    byId("new-thread").addEventListener("click", () => this.#newThread());
    byId("upload").addEventListener("click", () => this.#data.open());
    byId("logout").addEventListener("click", () => this.#logout());
    byId("theme").addEventListener("click", () => this.#nameTheme(carrelTheme.next()));
    this.#nameTheme(carrelTheme.choice());
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault(); // the fragment of the address names the thread
      this.#composer.focus();
    });
    const help = () => byId("help-dialog").showModal();
    byId("help").addEventListener("click", help);
    new Shortcuts([
      { code: "KeyN", keys: "Alt N", says: "New thread", action: () => this.#newThread() },
      { code: "KeyM", keys: "Alt M", says: "Go to the message box", action: () => this.#composer.focus() },
      { code: "KeyU", keys: "Alt U", says: "Usage data", action: () => this.#data.open() },
      { code: "ArrowUp", keys: "Alt ↑", says: "Previous thread in the list", action: () => this.#step(-1) },
      { code: "ArrowDown", keys: "Alt ↓", says: "Next thread in the list", action: () => this.#step(1) },
      { code: "Slash", keys: "Alt /", says: "Show these shortcuts", action: help },
    ]).list(byId("shortcuts"));
  }

  #nameTheme(choice) {
    const label = `Colours: ${choice === "system" ? "as the system" : choice}`;
    byId("theme").setAttribute("aria-label", label);
    byId("theme").title = label;
  }

  #listen() {
    this.#store.on("threads", () => this.#drawThreads());
    this.#store.on("conversation", (threadId) => {
      if (threadId === currentThread()) this.#drawConversation();
    });
    this.#store.on("run", (run) => {
      this.#conversation.changed(run);
      if (run.threadId === currentThread()) this.#announcer.run(run);
      if (!run.open && run.root !== null) this.#refreshSoon();
    });
    this.#store.on("stranger", () => this.#refreshSoon());
    this.#store.on("moved", (run) => {
      if (currentThread() !== null) return;
      this.#loaded.add(run.threadId); // all of it happened before our eyes
      goTo(run.threadId, { replace: true });
    });
    onRoute((threadId) => this.#show(threadId));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#client.probe());
  }

  /** The page was in the background: the connection may be dead, and threads may have been renamed elsewhere. */
  #wake() {
    this.#client.probe();
    this.#refreshSoon();
  }

  #drawThreads() {
    const thread = this.#store.thread(currentThread());
    const title = thread?.title || "New thread";
    setText(byId("thread-title"), title);
    document.title = thread === null ? "carrel" : `${title} · carrel`;
    this.#threads.show(currentThread());
  }

  #drawConversation() {
    const runs = this.#store.conversation(currentThread());
    this.#conversation.show(runs);
    this.#welcome.show(currentThread() === null && runs.length === 0);
  }

  // Reading over HTTP

  /** The first connection, or a gap: what events cannot tell is read again. */
  #reload(ready) {
    this.#log = { epoch: ready.epoch, oldest: ready.oldest };
    this.#replays.stop();
    this.#store.reset();
    this.#loaded.clear();
    this.#drawConversation();
    this.#refreshThreads();
    this.#greet();
  }

  async #greet() {
    this.#welcome.start();
    try {
      setText(byId("user-name"), (await this.#api.get("me")).name);
    } catch (error) {
      if (error.over) this.#leave();
    }
  }

  #show(threadId) {
    this.#drawer.close();
    this.#notice.clear();
    this.#drawThreads();
    this.#drawConversation();
    this.#conversation.scrollToEnd();
    this.#load(threadId);
  }

  async #load(threadId) {
    if (threadId === null || this.#log === null || this.#loaded.has(threadId)) return;
    this.#loaded.add(threadId);
    try {
      await this.#readMessages(threadId);
    } catch (error) {
      this.#loaded.delete(threadId);
      if (error.status === 404) goTo(null, { replace: true });
      if (error.over) this.#leave();
      else this.#notice.show(error.status === 404 ? "That thread does not exist." : explain(error));
    }
  }

  async #readMessages(threadId) {
    const { messages } = await this.#api.get(`threads/${encodeURIComponent(threadId)}/messages`);
    this.#store.setMessages(threadId, messages);
    const unanswered = this.#store.conversation(threadId).filter((run) => run.state === "unknown" || run.open);
    await Promise.all(unanswered.slice(-MOST_RECORDS).map((run) => this.#readRecord(run)));
  }

  /** A question without an answer: ask how its run stands, and show an open one as it goes on. What one that was cut
   * short had said stands in its events alone. */
  async #readRecord(run) {
    if (run.runId === null || run.followed) return;
    this.#store.setRecord(run, await this.#api.get(`runs/${encodeURIComponent(run.runId)}`));
    if (run.open || run.cutShort) this.#replays.start(run);
  }

  #refreshSoon() {
    this.#refreshing ||= setTimeout(() => {
      this.#refreshing = 0;
      this.#refreshThreads();
      this.#readUnasked();
    }, SETTLE_MS);
  }

  async #refreshThreads() {
    try {
      this.#store.setThreads((await this.#api.get("threads")).threads);
    } catch (error) {
      if (error.over) this.#leave();
    }
  }

  /** Runs that another page of this user started while this one shows their thread. */
  #readUnasked() {
    const threadId = currentThread();
    if (threadId === null || this.#store.conversation(threadId).every((run) => run.question !== null)) return;
    this.#readMessages(threadId).catch((error) => this.#notice.show(explain(error)));
  }

  // Doing

  async #ask(input) {
    const threadId = currentThread();
    const proposal = this.#store.propose(threadId, input);
    this.#conversation.scrollToEnd();
    this.#notice.clear();
    this.#announcer.expect(proposal);
    const agent = this.#welcome.agent;
    try {
      const run = this.#store.accept(proposal, await this.#client.startRun({ threadId, input, agent }));
      if (run !== proposal) this.#announcer.expect(run);
      this.#announcer.run(run);
    } catch (error) {
      this.#store.withdraw(proposal);
      this.#composer.restore(input);
      this.#notice.show(explain(error));
    }
  }

  async #attempt(action) {
    try {
      await action();
    } catch (error) {
      if (error.over) this.#leave();
      else this.#notice.show(explain(error));
    }
  }

  #newThread() {
    goTo(null);
    this.#drawer.close();
    this.#composer.focus();
  }

  #step(direction) {
    const { threads } = this.#store;
    const index = threads.findIndex((thread) => thread.thread_id === currentThread());
    const next = threads[index === -1 ? 0 : index + direction];
    if (next) goTo(next.thread_id);
  }

  async #rename(thread, title) {
    await this.#attempt(() => this.#api.patch(`threads/${encodeURIComponent(thread.thread_id)}`, { title }));
    await this.#refreshThreads();
  }

  async #remove(thread) {
    const text = `“${thread.title}” and its answers will be gone. Your usage data stay.`;
    if (!(await confirmLoss({ title: "Delete this thread?", text, yes: "Delete" }))) return;
    await this.#attempt(async () => {
      await this.#api.delete(`threads/${encodeURIComponent(thread.thread_id)}`);
      this.#store.forgetThread(thread.thread_id);
      if (thread.thread_id === currentThread()) goTo(null, { replace: true });
      this.#composer.focus();
    });
  }

  async #logout() {
    this.#client.stop();
    await this.#session.logout();
    this.#leave();
  }
}
