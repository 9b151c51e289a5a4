/** The page's few icons, drawn on a 20 by 20 grid with one stroke width. */

import { svg } from "./element.js";

const PATHS = Object.freeze({
  menu: "M3 6h14M3 10h14M3 14h9",
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  attach: "M10 13V3M6 7l4-4 4 4M3 12v4h14v-4",
  rename: "M4 16l1-4 8-8 3 3-8 8zM12 5l3 3",
  remove: "M4 6h12M8 6V4h4v2M6 6l1 10h6l1-10",
  theme: "M10 3a7 7 0 1 0 7 7 5 5 0 0 1-7-7z",
  help: "M7.5 8a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 15v.01",
  leave: "M8 4H4v12h4M9 10h8M14 7l3 3-3 3",
  copy: "M7 7h9v9H7zM4 13V4h9",
  done: "M4 10.5l4 4 8-9",
});

/** A decorative icon; the control around it carries the name. */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}
