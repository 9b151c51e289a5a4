/** The message box: Enter sends, Shift and Enter begin a new line. */

import { icon } from "./icons.js";

export class Composer {
  #form;
  #field;
  #button;

  constructor(form, send) {
    this.#form = form;
    this.#field = form.querySelector("textarea");
    this.#button = form.querySelector("[type=submit]");
    this.#button.append(icon("send"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit(send);
    });
    this.#field.addEventListener("input", () => this.#grow());
    this.#grow();
  }

  focus() {
    this.#field.focus();
    this.#grow(); // while the page was hidden, the text had no height
  }

  /** Give a text back that could not be sent, unless another one is being written. */
  restore(text) {
    if (this.#field.value.trim() === "") this.#set(text);
  }

  #submit(send) {
    const text = this.#field.value.trim();
    if (text === "") return;
    this.#set("");
    send(text);
  }

  #set(text) {
    this.#field.value = text;
    this.#grow();
  }

  #grow() {
    this.#button.disabled = this.#field.value.trim() === "";
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
