/** Shows how the live connection stands: connecting, live, waiting for the next attempt, or stopped. */

import { setText } from "./element.js";

export class ConnectionView {
  #node;
  #button;
  #state = { name: "connecting" };
  #timer = 0;

  constructor(node, button, retry) {
    this.#node = node;
    this.#button = button;
    button.addEventListener("click", retry);
    for (const name of ["online", "offline"]) addEventListener(name, () => this.#draw());
  }

  show(state) {
    this.#state = state;
    clearInterval(this.#timer);
    if (state.name === "waiting") this.#timer = setInterval(() => this.#draw(), 500);
    this.#draw();
  }

  #draw() {
    const { name, until, reason } = this.#state;
    this.#node.dataset.state = name;
    this.#button.hidden = name !== "waiting" && name !== "stopped";
    if (name === "waiting") {
      const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
      setText(this.#node, `${navigator.onLine ? "Reconnecting" : "Offline, next try"} in ${seconds} s`);
    } else setText(this.#node, { connecting: "Connecting …", live: "Live" }[name] ?? reason);
  }
}
