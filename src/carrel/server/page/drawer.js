/** The thread list as a drawer, where the window is too narrow to show it beside the conversation. */

export class Drawer {
  #rail;
  #main;
  #scrim;
  #opener;

  constructor({ rail, main, scrim, opener, closer }) {
    this.#rail = rail;
    this.#main = main;
    this.#scrim = scrim;
    this.#opener = opener;
    opener.addEventListener("click", () => this.open());
    closer.addEventListener("click", () => this.close());
    scrim.addEventListener("click", () => this.close());
    rail.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    matchMedia("(min-width: 821px)").addEventListener("change", () => this.close());
  }

  open() {
    this.#show(true);
    this.#rail.querySelector("button").focus();
  }

  close() {
    if (!this.#rail.classList.contains("open")) return;
    this.#show(false);
    this.#opener.focus();
  }

  #show(open) {
    this.#rail.classList.toggle("open", open);
    this.#scrim.hidden = !open;
    this.#main.inert = open;
    this.#opener.setAttribute("aria-expanded", String(open));
  }
}
