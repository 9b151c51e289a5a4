/** What an empty thread shows: what is known of the user's usage, how to begin, and questions to begin with. */

import { element, setText } from "./element.js";
import { formatCount, formatDay, formatFigure } from "./format.js";

const QUESTIONS = Object.freeze([
  "Where can I cut my AI bill?",
  "Which model costs me the most?",
  "How did my spend develop day by day?",
  "What would prompt caching save?",
]);
const CHOSEN = "carrel.agent";
const DEFAULT_AGENT = "supervisor";
// Where this agent is served, questions about usage can be answered.
const SHIPPED_AGENT = "optimization";

const byId = (id) => document.getElementById(id);

export class Welcome {
  #api;
  #node = byId("welcome");
  #agents = byId("agent");
  #ask;
  #write;
  #usage = true; // whether questions about usage are what this server answers

  /** actions: `ask(text)`, `write()` (a question of one's own), `upload()` */
  constructor(api, { ask, write, upload }) {
    this.#api = api;
    this.#ask = ask;
    this.#write = write;
    byId("welcome-upload").addEventListener("click", upload);
    this.#agents.addEventListener("change", () => sessionStorage.setItem(CHOSEN, this.#agents.value));
  }

  /** The agent that is asked; nothing for the server's own choice. */
  get agent() {
    return this.#agents.value || undefined;
  }

  show(visible) {
    this.#node.hidden = !visible;
  }

  async start() {
    let agents = [];
    try {
      ({ agents } = await this.#api.get("agents"));
    } catch {
      // Then the server chooses.
    }
    this.#offerAgents(agents);
    this.#usage = agents.length === 0 || agents.some(({ name }) => name === SHIPPED_AGENT);
    if (this.#usage) {
      this.#suggest("Ask, for example", QUESTIONS.map((text) => ({ text, action: () => this.#ask(text) })));
      await this.refresh();
    } else this.#introduce(agents);
  }

  /** Read again how much usage there is to ask about. */
  async refresh() {
    if (!this.#usage) return;
    let text = "Upload what your AI use was, and ask about it. The agents work in a booth of your own.";
    let records = 0;
    try {
      const summary = await this.#api.get("usage/summary");
      records = summary.records ?? 0;
      if (records > 0) text = describe(summary);
    } catch {
      // Without a summary the page is as useful as for a new user.
    }
    setText(byId("welcome-lead"), text);
    byId("welcome-upload").hidden = records > 0;
  }

  #suggest(label, suggestions) {
    setText(byId("welcome-label"), label);
    byId("suggestions").replaceChildren(
      ...suggestions.map(({ text, action }) =>
        element("li", {}, element("button", { type: "button", onclick: action }, element("span", {}, text))),
      ),
    );
  }

  /** Agents that are somebody's own: what they do is all that is known of what can be asked. */
  #introduce(agents) {
    setText(byId("welcome-lead"), "Ask, and the agents of this server work on it, in a booth of your own.");
    byId("welcome-upload").hidden = true;
    const others = agents.filter(({ name }) => name !== DEFAULT_AGENT);
    this.#suggest(
      "Who is here",
      others.map(({ name, description }) => ({ text: `${name}: ${description}`, action: () => this.#choose(name) })),
    );
  }

  #choose(name) {
    this.#agents.value = name;
    sessionStorage.setItem(CHOSEN, name);
    this.#write();
  }

  #offerAgents(agents) {
    const choice = sessionStorage.getItem(CHOSEN) ?? DEFAULT_AGENT;
    this.#agents.replaceChildren(
      ...agents.map(({ name, description }) => element("option", { value: name, title: description }, name)),
    );
    this.#agents.value = agents.some(({ name }) => name === choice) ? choice : (agents[0]?.name ?? "");
    this.#agents.parentElement.hidden = agents.length < 2;
  }
}

function describe({ records, models, cost_usd: cost, first_day: first, last_day: last }) {
  const spent = cost > 0 ? `, $${formatFigure(cost)}` : "";
  const kinds = formatCount(models.length, "model");
  return `Your usage from ${formatDay(first)} to ${formatDay(last)} is here: ${formatCount(records, "record")} of ${kinds}${spent}.`;
}
