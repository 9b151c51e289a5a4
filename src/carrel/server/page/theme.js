/**
 * Dark, light, or as the system has it. A classic script in the head, so that the first paint is right already; the
 * module part of the page finds it as `carrelTheme`.
 */
"use strict";

globalThis.carrelTheme = (() => {
  const STORED = "carrel.theme";
  const CHOICES = ["system", "light", "dark"];

  function choice() {
    const stored = localStorage.getItem(STORED);
    return CHOICES.includes(stored) ? stored : "system";
  }

  function show(name) {
    document.documentElement.dataset.theme = name;
  }

  show(choice());
  return Object.freeze({
    choice,
    /** Go on to the next choice and return it. */
    next() {
      const name = CHOICES[(CHOICES.indexOf(choice()) + 1) % CHOICES.length];
      localStorage.setItem(STORED, name);
      show(name);
      return name;
    },
  });
})();
