/**
 * Draws Markdown, safely: raw HTML is shown as text, what is left goes through DOMPurify with a short list of tags,
 * links leave the page only by http, https and mailto, and images become links (loading one would tell its server).
 */

import { drawChart, readChart } from "./chart.js";
import { element } from "./element.js";
import DOMPurify from "./vendor/dompurify.js";
import { Marked } from "./vendor/marked.js";

const CHART = "carrel-chart";
const LONG_CELL = 14;
const PURIFY = Object.freeze({
  ALLOWED_TAGS: [
    ...["p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "code", "pre", "blockquote"],
    ...["ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td", "input"],
  ],
  ALLOWED_ATTR: ["href", "title", "align", "start", "type", "checked", "disabled"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ADD_URI_SAFE_ATTR: ["align", "start", "type", "checked", "disabled"], // they hold no address
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
});

function escape(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escape(text),
    image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
  },
});

/** Shows a growing Markdown text in a node, redrawing only the blocks that changed. */
export class MarkdownView {
  #node;
  #blocks = []; // {raw, node}
  #text = null;
  #final = null;

  constructor(node) {
    this.#node = node;
  }

  /** Show `text`; `final` is false while more is to come. */
  update(text, { final }) {
    if (text === this.#text && final === this.#final) return;
    this.#text = text;
    this.#final = final;
    const tokens = marked.lexer(text);
    const blocks = tokens.filter((token) => token.type !== "space" && token.type !== "def");
    blocks.forEach((token, index) => this.#place(index, token, tokens.links, final));
    for (const { node } of this.#blocks.splice(blocks.length)) node.remove();
  }

  #place(index, token, links, final) {
    const closed = isClosed(token);
    const key = `${token.type} ${closed || final} ${token.raw}`;
    const present = this.#blocks[index];
    if (present?.key === key) return;
    const node = element("div", { class: "block" }, drawBlock(token, links, closed || final));
    if (present) present.node.replaceWith(node);
    else this.#node.append(node);
    this.#blocks[index] = { key, node };
  }
}

/** A fenced block is closed when its last line is the fence; every other block always is. */
function isClosed(token) {
  if (token.type !== "code" || token.codeBlockStyle === "indented") return true;
  return /\n *(`{3,}|~{3,})\s*$/.test(token.raw);
}

function drawBlock(token, links, complete) {
  if (token.type === "code") return drawCode(token, complete);
  const tokens = Object.assign([token], { links });
  const fragment = DOMPurify.sanitize(marked.parser(tokens), PURIFY);
  for (const link of fragment.querySelectorAll("a")) secureLink(link);
  for (const box of fragment.querySelectorAll("input")) secureBox(box);
  for (const table of fragment.querySelectorAll("table")) frameTable(table);
  return fragment;
}

function drawCode(token, complete) {
  const language = (token.lang ?? "").trim().split(/\s+/)[0];
  if (language === CHART) {
    if (!complete) return element("p", { class: "pending" }, "Drawing the chart …");
    const chart = readChart(token.text);
    if (chart !== null) return drawChart(chart);
  }
  return element("pre", { tabindex: 0, role: "region", "aria-label": "Code" }, element("code", {}, token.text));
}

function secureLink(link) {
  if (!link.hasAttribute("href")) {
    link.replaceWith(...link.childNodes);
    return;
  }
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

function secureBox(box) {
  if (box.type !== "checkbox") box.remove();
  else {
    box.disabled = true;
    box.setAttribute("aria-label", box.checked ? "done" : "open");
  }
}

/** Wide tables scroll by themselves, also with the keyboard. */
function frameTable(table) {
  const frame = element("div", { class: "table-frame", tabindex: 0, role: "region", "aria-label": "Table" });
  for (const cell of table.querySelectorAll("td")) cell.classList.toggle("long", cell.textContent.length > LONG_CELL);
  table.replaceWith(frame);
  frame.append(table);
}
