/** The login form. */

import { setText } from "./element.js";
import { explain } from "./problem.js";

export class LoginView {
  #node;
  #form;
  #problem;
  #ended;

  /** `login(name, password)` rejects with what to tell. */
  constructor(node, login) {
    this.#node = node;
    this.#form = node.querySelector("form");
    this.#problem = node.querySelector("[role=alert]");
    this.#ended = node.querySelector(".login-ended");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(login);
    });
  }

  /** `ended`: whether to say that the last login ended without a log-out here. */
  show({ ended }) {
    this.#node.hidden = false;
    this.#ended.hidden = !ended;
    this.#form.elements.username.focus();
  }

  async #submit(login) {
    const { username, password } = this.#form.elements;
    const button = this.#form.querySelector("button");
    button.disabled = true;
    setText(this.#problem, "");
    try {
      await login(username.value.trim(), password.value);
      this.#form.reset();
    } catch (error) {
      setText(this.#problem, explain(error));
      password.select();
    } finally {
      button.disabled = false;
    }
  }
}
