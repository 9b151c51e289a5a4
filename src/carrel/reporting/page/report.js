"use strict";

// Filters the findings. Everything is on the page already: this hides and shows, and makes nothing.
{
  const form = document.getElementById("filter");
  if (form) {
    const findings = [...document.querySelectorAll(".finding")];
    const files = [...document.querySelectorAll(".file")];
    const { rule, path, fold } = form.elements;
    const onlyNew = form.elements.new;
    const shown = document.getElementById("shown");
    const noneLeft = document.getElementById("none-left");
    const total = findings.length.toLocaleString("en");

    const apply = () => {
      const severities = new Set([...form.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
      const part = path.value.trim().toLowerCase();
      let count = 0;
      for (const finding of findings) {
        const { severity, rule: code, path: file, known } = finding.dataset;
        finding.hidden =
          !severities.has(severity) ||
          (rule.value !== "" && rule.value !== code) ||
          (part !== "" && !file.toLowerCase().includes(part)) ||
          (onlyNew?.checked === true && known === "yes");
        count += finding.hidden ? 0 : 1;
      }
      for (const file of files) {
        file.hidden = file.querySelector(".finding:not([hidden])") === null;
      }
      noneLeft.hidden = count > 0;
      shown.textContent = `${count.toLocaleString("en")} of ${total}`;
    };

    const label = () => {
      fold.textContent = findings.every((finding) => finding.open) ? "Fold all" : "Unfold all";
    };

    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    fold.addEventListener("click", () => {
      const open = !findings.every((finding) => finding.open);
      for (const finding of findings) {
        finding.open = open;
      }
      label();
    });
    document.addEventListener("click", (event) => {
      const cell = event.target.closest(".map a");
      if (cell) {
        event.preventDefault();
        path.value = cell.dataset.path;
        apply();
        document.getElementById("findings").scrollIntoView();
      }
    });
    form.hidden = false;
    label();
    apply();
  }
}
