// @ts-check
/**
 * The page's side of a row of progress: it draws what the kernel says, and tells it when Cancel is clicked. Names come
 * from S3, and enter the page by `textContent`.
 *
 * @typedef {{name: string, text: string, marks: string[], state: string, fraction: number | null}} Row
 * @typedef {{get(name: string): any, on(name: string, call: () => void): void, off(name: string, call: () => void): void,
 *   send(content: any): void}} Model
 */

const P = "aios3-nb-";
/** @type {Record<string, string>} */
const MARKS = { running: "", done: "✓", failed: "✗", cancelled: "■" };

/** @param {string} tag @param {string} name @param {string} [text] */
function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = P + name;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {Row} row */
function line(row) {
  const element = make("div", "load");
  const name = make("span", "load-name", `${MARKS[row.state] ?? ""} ${row.name}`.trim());
  name.title = row.name;
  const bar = /** @type {HTMLProgressElement} */ (make("progress", "load-bar"));
  bar.setAttribute("aria-label", row.name);
  const figures = make("span", "load-figures");
  element.append(name, bar, figures);
  return element;
}

/** @param {HTMLElement} element @param {Row} row */
function update(element, row) {
  const [name, bar, figures] = element.children;
  name.textContent = `${MARKS[row.state] ?? ""} ${row.name}`.trim();
  if (bar instanceof HTMLProgressElement) {
    if (row.fraction === null) bar.removeAttribute("value");
    else bar.value = row.fraction;
  }
  element.dataset.state = row.state;
  figures.replaceChildren(make("span", "", row.text), ...row.marks.map((mark) => make("span", "load-mark", mark)));
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  const root = make("div", "loads");
  const first = make("div", "loads-first");
  const parts = make("details", "loads-parts");
  parts.append(make("summary", "", "Each of them"));
  const cancel = make("button", "load-cancel", "Cancel");
  cancel.setAttribute("type", "button");
  cancel.title = model.get("_stops");
  cancel.addEventListener("click", () => model.send({ event: "click" }));
  root.append(first, parts);
  el.append(root);
  /** @type {HTMLElement[]} */
  const lines = [];
  const draw = () => {
    /** @type {Row[]} */
    const rows = model.get("_rows");
    rows.forEach((row, at) => {
      if (!lines[at]) {
        lines[at] = line(row);
        (at ? parts : first).append(lines[at]);
        if (!at) first.append(cancel);
      }
      update(lines[at], row);
    });
    parts.hidden = rows.length < 2;
    cancel.hidden = rows[0]?.state !== "running";
  };
  draw();
  model.on("change:_rows", draw);
  return () => model.off("change:_rows", draw);
}

export default {
  /** @param {{model: Model}} place */
  initialize({ model }) {
    model.send({ event: "hello" });
  },
  render,
};
