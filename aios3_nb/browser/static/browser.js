// @ts-check
/**
 * The page's side of the bucket browser: it draws what the kernel says, and asks for what its user wants.
 *
 * It decides nothing: what may be done is decided in the kernel (see hands.py for the messages). Whatever comes from
 * S3 enters the page by `textContent`, never as markup; pictures as blobs of the type that the kernel sniffed.
 *
 * @typedef {{at: number, name: string, title: string}} Crumb
 * @typedef {{number: number, address: string, crumbs: Crumb[], shortened: boolean, can_upload: boolean, can_go_back: boolean}} Place
 * @typedef {{edition: number, count: number, state: string, text: string, title: string, listed: string, busy: boolean,
 *   complete: boolean, can_go_on: boolean, sort: string, descending: boolean, filter: string, contains: boolean,
 *   is_search: boolean, head?: Row[]}} Listing
 * @typedef {{count: number, objects?: number, kind?: string, uri?: string, title?: string, summary?: string,
 *   pairs?: [string, string][], variable?: string, blocked?: string, copies?: string, at?: number | null,
 *   edition?: number, answers?: number}} Chosen
 * @typedef {{id: number, kind: string, name: string, text: string, fraction: number | null, lines: string[],
 *   code: string, answer: string}} Card
 * @typedef {{profile: string, profiles: string[], endpoint: string, found: string}} Connection
 * @typedef {[string, string, string, string, string]} Row
 * @typedef {[string, string, string, any[] | null]} Node_
 * @typedef {{title: string, note: string, verdict: string, text: string, types: string[], table: string[][],
 *   pairs: [string, string][], tree: Node_ | null, picture: string}} Preview
 * @typedef {{get(name: string): any, on(name: string, call: (...args: any[]) => void): void,
 *   off(name: string, call: (...args: any[]) => void): void,
 *   send(content: any, callbacks?: any, buffers?: ArrayBuffer[]): void}} Model
 */

const P = "aios3-nb-";
const ROW = 26;
/** Firefox ends at 17.8 million pixels of height; above this, the scrollbar stands for more than there is. */
const TALLEST = 16_000_000;
/** Pixels of width below which the preview goes below the list (browser.css has it too), and of height added then. */
const NARROW = 700;
const STACKED = 200;
const [LOWEST, HIGHEST] = [240, 2000];
const CHUNK = 100;
const REST_MS = 300;
const TYPE_AHEAD_MS = 700;
/** Milliseconds without an answer after which the kernel is said to be busy. */
const PATIENCE_MS = 1200;
const COLUMNS = /** @type {const} */ (["name", "size", "modified", "class"]);
const LABELS = { name: "Name", size: "Size", modified: "Modified (UTC)", class: "Class" };
const FOCUSED = new Set(["button", "input", "select", "summary", "textarea"]);
const PAGE_TYPES = new Set(["png", "jpeg", "gif", "webp"]);
/** Counts ids and files; each panel of a page has a module of its own, so they begin anywhere. */
let ids = Math.floor(Math.random() * 2 ** 40);

// ---- small makers

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [names] class names, without the prefix
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
function make(tag, names = "", attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const name of names.split(" ").filter(Boolean)) element.classList.add(P + name);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  // Jupyter's shortcuts of single letters are for what has the focus and is no field: it has to say no itself, for
  // an element around it is looked at too late.
  if ("tabindex" in attributes || FOCUSED.has(tag)) element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.append(...children);
  return element;
}

/** Lines of icons, drawn in a box of 16; ours, so nothing is fetched. @type {Record<string, string>} */
const ICONS = {
  bucket: "M3 4h10l-1 9.5H4z M2.5 4a5.5 1.6 0 0 1 11 0",
  folder: "M1.5 3.5h4.5l1.5 2h7v7.5h-13z",
  file: "M4 1.5h5.5l3 3v10H4z M9.5 1.5v3h3",
  pickle: "M4 1.5h5.5l3 3v10H4z M9.5 1.5v3h3 M6.2 8h4 M6.2 10.5h4",
  table: "M2 2.5h12v11H2z M2 6h12 M2 9.7h12 M6 2.5v11",
  json: "M6 2.5c-2.5 0-1.2 4.5-3.5 5.5 2.3 1 1 5.5 3.5 5.5 M10 2.5c2.5 0 1.2 4.5 3.5 5.5-2.3 1-1 5.5-3.5 5.5",
  text: "M4 1.5h5.5l3 3v10H4z M6 7h4.5 M6 9.3h4.5 M6 11.6h3",
  image: "M2 3h12v10H2z M2 11l3.5-3.5 3 3 2-2L14 12 M10.5 6h.010",
  archive: "M2 4.5h12v9H2z M1.5 2h13v2.5h-13z M6.5 7.5h3",
  array: "M2.5 2.5h3v3h-3z M6.5 2.5h3v3h-3z M10.5 2.5h3v3h-3z M2.5 6.5h3v3h-3z M6.5 6.5h3v3h-3z M10.5 6.5h3v3h-3z M2.5 10.5h3v3h-3z M6.5 10.5h3v3h-3z M10.5 10.5h3v3h-3z",
  back: "M10 3L5 8l5 5",
  up: "M8 13V3.5 M3.5 8L8 3.5 12.5 8",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7 M13 2v3h-3",
  edit: "M2.5 13.5l.700-3L10.5 3 13 5.5 5.5 12.8z",
  upload: "M8 11V2.5 M4.5 6L8 2.5 11.5 6 M2.5 10.5v3h11v-3",
  download: "M8 2.5V11 M4.5 7.5L8 11l3.5-3.5 M2.5 12v1.5h11V12",
  copy: "M5.5 5.5h8v8h-8z M3.5 10.5h-1v-8h8v1",
  code: "M5.5 4.5L2 8l3.5 3.5 M10.5 4.5L14 8l-3.5 3.5",
  open: "M3 2.5h6l4 4v7H3z M5.5 9.5h5 M8.5 7.5l2 2-2 2",
  trash: "M3 4.5h10 M6 4.5v-2h4v2 M4.5 4.5l.500 9h6l.500-9",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8z M8 6.2a1.8 1.8 0 1 0 .010 0z",
  plug: "M5.5 1.5v4 M10.5 1.5v4 M3.5 5.5h9v2a4.5 4.5 0 0 1-9 0z M8 12v3",
  close: "M4 4l8 8 M12 4l-8 8",
  load: "M8 1.5v8 M4.5 6L8 9.5 11.5 6 M2.5 12.5h11",
};

/** @param {string} name @returns {SVGSVGElement} */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add(`${P}icon`, `${P}icon-${name in ICONS ? name : "file"}`);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.file);
  svg.append(path);
  return svg;
}

/**
 * @param {string} label
 * @param {string} picture
 * @param {(event: MouseEvent) => void} act
 * @param {{text?: boolean, title?: string, names?: string}} [options]
 */
function button(label, picture, act, options = {}) {
  const made = make("button", `button ${options.names ?? ""}`, { type: "button", title: options.title ?? label });
  if (picture) made.append(icon(picture));
  if (options.text) made.append(make("span", "", {}, label));
  else made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

/**
 * Put a name into `element`; where there is no room for it, it is cut in the middle, so that its end is seen.
 * @param {HTMLElement} element
 * @param {string} name
 */
function fill(element, name) {
  element.title = name;
  if (name.length <= 24) {
    element.replaceChildren(make("span", "head", {}, name));
    return;
  }
  const end = [...name].slice(-12).join("");
  element.replaceChildren(
    make("span", "head", {}, name.slice(0, name.length - end.length)),
    make("span", "tail", {}, end),
  );
}

// ---- the kernel

/** What is said to the kernel, and whether it answers. */
class Kernel {
  /** @param {Model} model @param {(state: "there" | "waits" | "gone") => void} tell */
  constructor(model, tell) {
    this.model = model;
    this.tell = tell;
    // All pages that show this panel hear all answers: each counts from elsewhere, and knows its own.
    this.first = this.number = Math.floor(Math.random() * 2 ** 40);
    /** @type {Map<number, number>} */
    this.pending = new Map();
    this.gone = false;
    this.lost = () => {
      this.gone = true;
      this.tell("gone");
    };
    model.on("comm:close", this.lost);
    model.on("comm_live_update", this.lost);
  }

  /**
   * @param {string} what
   * @param {Record<string, any>} [fields]
   * @param {ArrayBuffer[]} [buffers]
   * @returns {number} that the answer bears
   */
  ask(what, fields = {}, buffers = []) {
    const number = ++this.number;
    try {
      this.model.send({ ...fields, do: what, n: number }, undefined, buffers);
    } catch {
      this.lost();
    }
    if (!this.gone) this.pending.set(number, window.setTimeout(() => this.tell("waits"), PATIENCE_MS));
    return number;
  }

  /** Return whether `number` is of something asked here, and not by another page. @param {number} number */
  isOwn(number) {
    return this.first < number && number <= this.number;
  }

  /** @param {number} number */
  heard(number) {
    if (!this.pending.has(number)) return;
    // Messages are answered in order: what is older is done too.
    for (const [each, timer] of this.pending) {
      if (each <= number) {
        window.clearTimeout(timer);
        this.pending.delete(each);
      }
    }
    if (!this.pending.size) this.tell("there");
  }

  close() {
    for (const timer of this.pending.values()) window.clearTimeout(timer);
    this.model.off("comm:close", this.lost);
    this.model.off("comm_live_update", this.lost);
  }
}

// ---- the list

/** Rows of any number, of which those in sight are in the page. */
class Rows {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.id = `${P}${++ids}`;
    /** @type {Listing} */
    this.listing = panel.model.get("_listing");
    this.edition = -1;
    /** @type {Map<number, Row>} */
    this.known = new Map();
    /** @type {Set<number>} */
    this.asked = new Set();
    /** @type {[number, number][]} rows that are chosen, in ranges */
    this.ranges = [];
    this.lead = -1;
    this.anchor = -1;
    /** Number of the choice that is shown, and whether the kernel has yet to answer it. */
    this.choice = 0;
    this.awaited = false;
    /** @type {Set<number>} numbers of what was typed, and the kernel has not found yet */
    this.sought = new Set();
    /** @type {(() => void)[]} what was asked for meanwhile, of the row that is found */
    this.deferred = [];
    this.typed = "";
    this.typedAt = 0;
    /** @type {Map<number, HTMLElement>} */
    this.drawn = new Map();
    this.head = make("div", "columns", { role: "row", "aria-rowindex": "1" });
    /** @type {Record<string, HTMLElement>} */
    this.headers = {};
    for (const name of COLUMNS) this.head.append(this.header(name));
    this.space = make("div", "space", { role: "rowgroup" });
    this.over = make("div", "state", { role: "presentation" });
    this.root = make(
      "div", "grid",
      { role: "grid", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Buckets, folders and objects", "aria-colcount": "4" },
      make("div", "headgroup", { role: "rowgroup" }, this.head),
      this.space,
    );
    this.root.addEventListener("scroll", () => this.later());
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("click", (event) => this.click(event));
    this.root.addEventListener("dblclick", (event) => this.open(this.at(event)));
    this.root.addEventListener("contextmenu", (event) => this.menu(event));
    this.root.addEventListener("focus", () => this.focused());
    this.resized = new ResizeObserver(() => this.later());
    this.resized.observe(this.root);
    this.frame = 0;
  }

  /** @param {"name" | "size" | "modified" | "class"} name */
  header(name) {
    const sort = make("button", "sort", { type: "button", title: "Sort; Shift with an arrow key sets the width" }, LABELS[name]);
    sort.addEventListener("click", (event) => {
      event.stopPropagation();
      this.panel.kernel.ask("sort", { column: name });
    });
    sort.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
      if (step === undefined || !event.shiftKey) return;
      event.preventDefault();
      this.widen(name, this.headers[name].getBoundingClientRect().width + step);
    });
    const grip = make("span", "grip", { "aria-hidden": "true" });
    grip.addEventListener("pointerdown", (event) => this.resize(event, name));
    grip.addEventListener("click", (event) => event.stopPropagation());
    const cell = make("div", `column ${name}`, { role: "columnheader", "aria-sort": "none" }, sort, grip);
    this.headers[name] = cell;
    return cell;
  }

  /** @param {PointerEvent} event @param {string} name */
  resize(event, name) {
    event.preventDefault();
    event.stopPropagation();
    const begin = event.clientX;
    const width = this.headers[name].getBoundingClientRect().width;
    drag(event, (move) => this.widen(name, width + move.clientX - begin));
  }

  /** @param {string} name @param {number} width */
  widen(name, width) {
    this.root.style.setProperty(`--${P}${name}`, `${Math.max(48, width)}px`);
  }

  // -- what the kernel says

  /** @param {Listing} listing */
  take(listing) {
    this.listing = listing;
    if (listing.edition !== this.edition) {
      this.edition = listing.edition;
      this.known.clear();
      this.asked.clear();
      this.ranges = [];
      this.lead = this.anchor = -1;
      this.awaited = false;
      this.seekNothing();
      if (!listing.count) this.root.scrollTop = 0;
    }
    listing.head?.forEach((row, at) => this.known.set(at, row));
    for (const name of COLUMNS) {
      const order = listing.sort !== name ? "none" : listing.descending ? "descending" : "ascending";
      this.headers[name].setAttribute("aria-sort", order);
    }
    this.root.setAttribute("aria-rowcount", String(listing.complete ? listing.count + 1 : -1));
    this.root.setAttribute("aria-busy", String(listing.busy));
    this.draw();
  }

  /** @param {{edition: number, from: number, rows: Row[]}} message */
  takeRows(message) {
    if (message.edition !== this.edition) return;
    message.rows.forEach((row, at) => this.known.set(message.from + at, row));
    this.draw();
  }

  /** @param {Chosen} chosen */
  follow(chosen) {
    // Where the kernel says that the row is, after rows were added before it; none, when none is chosen any more.
    if (chosen.edition !== this.edition) return;
    // What it says of an earlier choice would take back what was chosen since.
    if (this.awaited && chosen.answers !== this.choice) return;
    this.awaited = false;
    this.choice = chosen.answers ?? 0;
    if (!chosen.count) this.choose([], -1);
    else if (typeof chosen.at === "number" && chosen.at !== this.lead && chosen.count === 1) {
      this.choose([[chosen.at, chosen.at + 1]], chosen.at);
    }
  }

  // -- drawing

  later() {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  get room() {
    return Math.max(ROW, this.root.clientHeight - ROW);
  }

  get height() {
    return Math.min(this.listing.count * ROW, TALLEST);
  }

  /** The first row in sight, with a fraction: beyond `TALLEST`, pixels stand for more than a pixel of rows. */
  get first() {
    const most = Math.max(1, this.height - this.room);
    const rows = Math.max(0, this.listing.count - this.room / ROW);
    return this.height < TALLEST ? this.root.scrollTop / ROW : Math.min(1, this.root.scrollTop / most) * rows;
  }

  /** @param {number} row */
  bring(row) {
    const [first, fit] = [this.first, Math.floor(this.room / ROW)];
    let wanted = first;
    if (row < first) wanted = row;
    else if (row > first + fit - 1) wanted = row - fit + 1;
    if (wanted === first) return;
    const rows = Math.max(1, this.listing.count - this.room / ROW);
    this.root.scrollTop = this.height < TALLEST ? wanted * ROW : (wanted / rows) * (this.height - this.room);
    this.draw();
  }

  draw() {
    const { count, state } = this.listing;
    this.space.style.height = `${this.height}px`;
    const begin = Math.max(0, Math.floor(this.first) - 4);
    const end = Math.min(count, Math.ceil(this.first + this.room / ROW) + 4);
    const offset = this.height < TALLEST ? 0 : this.root.scrollTop - this.first * ROW;
    for (const [at, element] of this.drawn) {
      if (at < begin || at >= end) {
        element.remove();
        this.drawn.delete(at);
      }
    }
    for (let at = begin; at < end; at++) this.drawRow(at, offset);
    this.want(begin, end);
    this.drawState(state, count);
    const there = this.drawn.has(this.lead);
    if (there) this.root.setAttribute("aria-activedescendant", `${this.id}-${this.lead}`);
    else this.root.removeAttribute("aria-activedescendant");
  }

  /** @param {number} at @param {number} offset */
  drawRow(at, offset) {
    let element = this.drawn.get(at);
    if (!element) {
      element = make("div", "row", { role: "row", id: `${this.id}-${at}`, "aria-rowindex": String(at + 2) });
      element.dataset.at = String(at);
      for (const name of COLUMNS) element.append(make("div", `cell ${name}`, { role: "gridcell" }));
      this.drawn.set(at, element);
      this.space.append(element);
    }
    element.style.transform = `translateY(${at * ROW + offset}px)`;
    const row = this.known.get(at);
    const key = row ? row.join("\n") : "";
    if (element.dataset.key !== key || !row) {
      element.dataset.key = key;
      const cells = /** @type {HTMLElement[]} */ ([...element.children]);
      if (row) {
        const name = make("span", "name-text");
        fill(name, row[1]);
        cells[0].replaceChildren(icon(row[0]), name);
        [row[2] || (row[0] === "folder" ? "–" : ""), row[3], row[4]].forEach((text, n) => {
          cells[n + 1].textContent = text;
        });
      } else {
        cells.forEach((cell) => cell.replaceChildren(make("span", "bone")));
      }
    }
    const chosen = this.has(at);
    element.setAttribute("aria-selected", String(chosen));
    element.classList.toggle(`${P}chosen`, chosen);
    element.classList.toggle(`${P}lead`, at === this.lead);
  }

  /** Ask for the rows that are in sight and not here. @param {number} begin @param {number} end */
  want(begin, end) {
    for (let chunk = Math.floor(begin / CHUNK); chunk * CHUNK < end; chunk++) {
      const from = chunk * CHUNK;
      const last = Math.min(from + CHUNK, this.listing.count);
      // A chunk is asked for again when it has grown, and at the end to have more listed.
      const mark = from * 2_000_000 + last;
      const missing = Array.from({ length: last - from }, (_, n) => from + n).some((at) => !this.known.has(at));
      if (this.asked.has(mark) || (!missing && !(last === this.listing.count && this.listing.can_go_on))) continue;
      this.asked.add(mark);
      this.panel.kernel.ask("rows", { edition: this.edition, from, to: last });
    }
    // What is far out of sight is forgotten: a million rows would fill the page.
    if (this.known.size > 20 * CHUNK) {
      for (const at of this.known.keys()) {
        if (at < begin - 5 * CHUNK || at > end + 5 * CHUNK) this.known.delete(at);
      }
      this.asked.clear();
    }
  }

  /** @param {string} state @param {number} count */
  drawState(state, count) {
    const waiting = (state === "loading" || state === "searching") && !count;
    const said = count || waiting ? "" : state;
    const key = waiting ? "waiting" : said + this.listing.text;
    if (this.over.dataset.key === key) return;
    this.over.dataset.key = key;
    this.over.replaceChildren();
    this.over.hidden = !waiting && !said;
    this.over.className = `${P}state ${P}${waiting ? "waiting" : said || "none"}`;
    if (waiting) {
      for (let n = 0; n < 8; n++) this.over.append(make("div", "skeleton", {}, make("span", "bone"), make("span", "bone"), make("span", "bone")));
    } else if (said) {
      const filtered = this.listing.filter !== "";
      this.over.append(
        icon(said === "empty" ? (filtered ? "eye" : "folder") : "plug"),
        make("strong", "", {}, this.listing.title),
        make("p", "", {}, this.listing.text),
      );
      if (said === "denied") this.over.append(button("Type another address", "edit", () => this.panel.editAddress(), { text: true }));
      if (said !== "empty") this.over.append(button("Try again", "refresh", () => this.panel.kernel.ask("refresh"), { text: true }));
      if (said === "empty" && filtered) this.over.append(button("Clear the filter", "close", () => this.panel.clearFilter(), { text: true }));
    }
  }

  // -- choosing

  /** Whether an object may be among what is chosen: rows that are out of sight may be one. */
  get hasObjects() {
    return this.ranges.some(([start, stop]) => {
      for (let at = start; at < stop; at++) if (this.isObject(at)) return true;
      return false;
    });
  }

  /** @param {number} at */
  isObject(at) {
    const kind = this.known.get(at)?.[0];
    return kind !== "folder" && kind !== "bucket";
  }

  /** @param {number} at */
  has(at) {
    return this.ranges.some(([start, stop]) => at >= start && at < stop);
  }

  /** @param {[number, number][]} ranges @param {number} lead */
  choose(ranges, lead) {
    this.ranges = ranges;
    this.lead = lead;
    this.draw();
  }

  /** @param {[number, number][]} ranges @param {number} lead */
  chosen(ranges, lead) {
    this.choose(ranges, lead);
    this.panel.chose();
    const last = lead < 0 ? this.listing.count : lead;
    this.choice = this.panel.kernel.ask("choose", { edition: this.edition, ranges, lead: last });
    this.awaited = true;
  }

  /** @param {number} at */
  only(at) {
    this.seekNothing();
    this.anchor = at;
    this.chosen([[at, at + 1]], at);
  }

  /** @param {number} count */
  all(count) {
    this.seekNothing();
    this.chosen([[0, count]], Math.max(0, this.lead));
  }

  /** @param {number} at */
  extend(at) {
    this.seekNothing();
    if (this.anchor < 0) this.anchor = Math.max(0, this.lead);
    this.chosen([[Math.min(this.anchor, at), Math.max(this.anchor, at) + 1]], at);
  }

  /** @param {number} at */
  toggle(at) {
    this.seekNothing();
    this.anchor = at;
    if (!this.has(at)) {
      this.chosen([...this.ranges, [at, at + 1]], at);
      return;
    }
    /** @type {[number, number][]} */
    const left = this.ranges.flatMap(([start, stop]) => {
      /** @type {[number, number][]} */
      const parts = at >= start && at < stop ? [[start, at], [at + 1, stop]] : [[start, stop]];
      return parts.filter(([from, to]) => from < to);
    });
    const last = left.at(-1);
    this.chosen(left, last ? last[1] - 1 : -1);
  }

  // -- hands

  /** @param {Event} event */
  at(event) {
    const row = event.target instanceof Element ? event.target.closest(`.${P}row`) : null;
    return row instanceof HTMLElement ? Number(row.dataset.at) : -1;
  }

  /** @param {MouseEvent} event */
  click(event) {
    const at = this.at(event);
    if (at < 0) return;
    if (event.shiftKey) this.extend(at);
    else if (event.ctrlKey || event.metaKey) this.toggle(at);
    else this.only(at);
  }

  /** @param {number} at */
  open(at) {
    if (at < 0) return;
    if (!this.isObject(at)) this.panel.typeNoMore();
    else if (!this.has(at)) this.only(at);
    this.panel.kernel.ask("open", { edition: this.edition, row: at });
  }

  /** @param {MouseEvent} event */
  menu(event) {
    const at = this.at(event);
    event.preventDefault();
    event.stopPropagation();
    if (at < 0) return;
    if (!this.has(at)) this.only(at);
    this.panel.showMenu(event.clientX, event.clientY);
  }

  /** Open the menu at the row that the keys are at. */
  menuByKey() {
    const box = this.drawn.get(this.lead)?.getBoundingClientRect();
    if (!box) return;
    if (!this.has(this.lead)) this.only(this.lead);
    this.panel.showMenu(box.left + 24, box.bottom);
  }

  focused() {
    if (this.lead < 0 && this.listing.count && this.root.matches(":focus-visible")) {
      this.lead = Math.ceil(this.first);
      this.draw();
    }
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target !== this.root) return;
    const command = event.ctrlKey || event.metaKey;
    const fit = Math.max(1, Math.floor(this.room / ROW) - 1);
    const last = this.listing.count - 1;
    const from = this.lead;
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: from + 1, ArrowUp: from < 0 ? last : from - 1, PageDown: from + fit, PageUp: from - fit, Home: 0, End: last };
    if (event.key in moves && !event.altKey) {
      if (last >= 0) {
        const to = Math.min(last, Math.max(0, moves[event.key]));
        if (event.shiftKey) this.extend(to);
        else this.only(to);
        this.bring(to);
      }
    } else if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) this.whenFound(() => this.menuByKey());
    else if (event.key === "Enter") this.whenFound(() => this.open(this.lead));
    else if (event.key === "Backspace" || (event.altKey && event.key === "ArrowUp")) this.panel.leave("up");
    else if (event.altKey && event.key === "ArrowLeft") this.panel.leave("back");
    else if (event.key === "Delete") this.whenFound(() => this.panel.act("delete"));
    else if (event.key === " " && command && from >= 0) this.whenFound(() => this.toggle(this.lead));
    else if (command && event.key.toLowerCase() === "a" && last >= 0) this.all(last + 1);
    else if (command && event.key.toLowerCase() === "c") this.whenFound(() => this.panel.act("copy"));
    else if (command && event.key.toLowerCase() === "f") this.panel.filter.focus();
    else if (event.key.length === 1 && !command && !event.altKey) this.typeAhead(event.key, event.timeStamp);
    else return;
    if (event.key.length > 1) this.typed = "";
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} character @param {number} now */
  typeAhead(character, now) {
    this.typed = now - this.typedAt > TYPE_AHEAD_MS ? character : this.typed + character;
    this.typedAt = now;
    const from = this.typed.length > 1 ? Math.max(0, this.lead) : this.lead + 1;
    const start = Math.min(from, Math.max(0, this.listing.count - 1));
    this.sought.add(this.panel.kernel.ask("find", { edition: this.edition, text: this.typed, from: start }));
  }

  /** @param {{edition: number, row: number | null, answers: number}} found */
  found({ edition, row, answers }) {
    if (!this.sought.delete(answers)) return; // another row was chosen since
    if (row !== null && edition === this.edition) {
      this.anchor = row;
      this.chosen([[row, row + 1]], row);
      this.bring(row);
    }
    if (!this.sought.size) for (const act of this.deferred.splice(0)) act();
  }

  /** Have `act` done with the row that begins with what was typed, as soon as the kernel has found it. @param {() => void} act */
  whenFound(act) {
    if (this.sought.size) this.deferred.push(act);
    else act();
  }

  /** What was typed is done with: another row was chosen by hand, or the rows are others. */
  seekNothing() {
    this.sought.clear();
    this.deferred = [];
  }

  close() {
    this.resized.disconnect();
    cancelAnimationFrame(this.frame);
  }
}

/**
 * Call `move` while the pointer is dragged.
 * @param {PointerEvent} event
 * @param {(event: PointerEvent) => void} move
 * @param {() => void} [end]
 */
function drag(event, move, end) {
  const target = /** @type {HTMLElement} */ (event.currentTarget);
  target.setPointerCapture(event.pointerId);
  const stop = () => {
    target.removeEventListener("pointermove", move);
    end?.();
  };
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", stop, { once: true });
  target.addEventListener("pointercancel", stop, { once: true });
}

// ---- previews

/** @param {Preview} preview @param {DataView | undefined} bytes @param {(url: string) => void} keep */
function previewed(preview, bytes, keep) {
  /** @type {HTMLElement[]} */
  const parts = [make("p", "title", {}, preview.title)];
  if (preview.verdict) {
    const verdict = preview.pairs.find(([name]) => name === "verdict");
    const words = { good: "Safe", bad: "Blocked", open: "Not known yet" };
    const word = words[/** @type {"good" | "bad" | "open"} */ (preview.verdict)] ?? "";
    parts.push(make("p", `verdict ${preview.verdict}`, {}, make("strong", "", {}, word), ` ${verdict ? verdict[1] : ""}`));
  }
  if (preview.note) parts.push(make("p", "faint", {}, preview.note));
  const pairs = preview.verdict ? preview.pairs.filter(([name]) => name !== "verdict") : preview.pairs;
  if (preview.picture && PAGE_TYPES.has(preview.picture) && bytes) parts.push(picture(preview.picture, bytes, keep));
  if (pairs.length) parts.push(pairTable(pairs));
  if (preview.table.length) parts.push(dataTable(preview.table, preview.types));
  if (preview.tree) parts.push(tree(preview.tree));
  if (preview.text) parts.push(textLines(preview.text));
  return parts;
}

/** @param {string} type @param {DataView} bytes @param {(url: string) => void} keep */
function picture(type, bytes, keep) {
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const url = URL.createObjectURL(new Blob([/** @type {ArrayBuffer} */ (data)], { type: `image/${type}` }));
  keep(url);
  return make("img", "picture", { src: url, alt: "The picture that is in the object" });
}

/** @param {[string, string][]} pairs */
function pairTable(pairs) {
  const body = make("tbody");
  for (const [name, value] of pairs) {
    const kind = name === "blocked" ? "bad" : "";
    body.append(make("tr", kind, {}, make("th", "", { scope: "row" }, name), make("td", "", {}, value)));
  }
  return make("table", "pairs", {}, body);
}

/** @param {string[][]} rows @param {string[]} types */
function dataTable(rows, types) {
  const [names, ...body] = rows;
  const numbers = types.map((type) => type === "int" || type === "float");
  const head = make("tr");
  names.forEach((name, at) => {
    const cell = make("th", numbers[at] ? "number" : "", { scope: "col", title: name }, name || "\u00a0");
    if (types[at]) cell.append(make("small", "", {}, types[at]));
    head.append(cell);
  });
  const lines = make("tbody");
  for (const row of body) {
    const line = make("tr");
    row.forEach((text, at) => line.append(make("td", numbers[at] ? "number" : "", { title: text }, text)));
    lines.append(line);
  }
  return make("div", "scroll data", { tabindex: "0", role: "region", "aria-label": "Table" }, make("table", "", {}, make("thead", "", {}, head), lines));
}

/** @param {string} text */
function textLines(text) {
  const lines = text.split("\n").map((line) => make("code", "line", {}, line));
  return make("pre", "scroll text", { tabindex: "0", role: "region", "aria-label": "Text" }, ...lines);
}

/**
 * A JSON document as a tree that opens, by mouse and by keyboard.
 * See: https://www.w3.org/WAI/ARIA/apg/patterns/treeview/
 * @param {Node_} root
 */
function tree(root) {
  const made = make("div", "scroll tree", { role: "tree", "aria-label": "JSON" }, branch(root, 0));
  made.querySelector("[role=treeitem]")?.setAttribute("tabindex", "0");
  made.addEventListener("click", (event) => {
    const label = event.target instanceof Element ? event.target.closest(`.${P}label`) : null;
    if (!(label?.parentElement)) return;
    turn(label.parentElement);
    walk(made, label.parentElement);
  });
  made.addEventListener("keydown", (event) => {
    const at = event.target instanceof HTMLElement && event.target.closest("[role=treeitem]");
    if (!(at instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = treeStep(made, at, event.key);
    if (to === null) return;
    event.preventDefault();
    walk(made, to);
  });
  return made;
}

/**
 * Return where `key` leads from a node of a tree; null if it means nothing there.
 * @param {HTMLElement} root @param {HTMLElement} at @param {string} key @returns {HTMLElement | null}
 */
function treeStep(root, at, key) {
  const open = at.getAttribute("aria-expanded");
  if (key === "Enter" || key === " " || (key === "ArrowRight" && open === "false") || (key === "ArrowLeft" && open === "true")) {
    turn(at);
    return at;
  }
  if (key === "ArrowLeft") return /** @type {HTMLElement | null} */ (at.parentElement?.closest("[role=treeitem]")) ?? at;
  if (key === "ArrowRight" && open === null) return at;
  const seen = /** @type {HTMLElement[]} */ ([...root.querySelectorAll("[role=treeitem]")]).filter((each) => !each.closest("[hidden]"));
  const here = seen.indexOf(at);
  /** @type {Record<string, number>} */
  const steps = { ArrowDown: here + 1, ArrowRight: here + 1, ArrowUp: here - 1, Home: 0, End: seen.length - 1 };
  return key in steps ? seen[Math.min(seen.length - 1, Math.max(0, steps[key]))] : null;
}

/** Have the keys at `to`, one node of the tree. @param {HTMLElement} root @param {HTMLElement} to */
function walk(root, to) {
  root.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
  to.setAttribute("tabindex", "0");
  to.focus({ preventScroll: true });
  to.firstElementChild?.scrollIntoView({ block: "nearest" });
}

/** Open a node of a tree, or close it. @param {HTMLElement} item */
function turn(item) {
  const open = item.getAttribute("aria-expanded");
  if (open !== null) item.dispatchEvent(new CustomEvent(`${P}turn`, { detail: open !== "true" }));
}

/** @param {Node_} node @param {number} depth @returns {HTMLElement} */
function branch([key, kind, text, inside], depth) {
  const named = key ? [make("span", "key", {}, key), ": "] : [];
  const brackets = kind === "array" ? ["[", "]"] : ["{", "}"];
  const shown = inside ? `${brackets[0]}${text}${brackets[1]}` : kind === "string" ? `"${text}"` : text;
  const label = make("div", "label", {}, ...named, make("span", inside ? "faint" : `value ${kind}`, {}, shown));
  const item = make("div", "node", { role: "treeitem", tabindex: "-1", "aria-label": `${key ? `${key}: ` : ""}${shown}` }, label);
  if (!inside?.length) return item;
  const within = make("div", "inside", { role: "group" });
  within.hidden = true;
  item.append(within);
  const show = (/** @type {boolean} */ open) => {
    item.setAttribute("aria-expanded", String(open));
    within.hidden = !open;
    // What is closed is made when it is opened: a document of thousands of values stays light.
    if (open && !within.hasChildNodes()) within.append(...inside.map((each) => branch(each, depth + 1)));
  };
  item.addEventListener(`${P}turn`, (event) => {
    if (event.target === item && event instanceof CustomEvent) show(event.detail);
  });
  show(!depth || (depth < 2 && inside.length <= 50));
  return item;
}

// ---- cards: what goes on, and what came of it

class Cards {
  /** @param {Panel} panel */
  constructor(panel) {
    this.panel = panel;
    this.root = make("div", "cards", { role: "log", "aria-label": "What goes on", tabindex: "-1" });
    /** @type {Map<number, {element: HTMLElement, card: Card}>} */
    this.shown = new Map();
  }

  /** @param {Card[]} cards */
  take(cards) {
    this.root.hidden = !cards.length; // what is hidden takes no focus
    const there = new Set(cards.map((card) => card.id));
    for (const [id, { element, card }] of this.shown) {
      if (there.has(id)) continue;
      const focused = element.contains(document.activeElement);
      element.remove();
      this.shown.delete(id);
      if (focused && card.kind !== "running") this.panel.rows.root.focus();
    }
    for (const card of cards) {
      const old = this.shown.get(card.id);
      if (old && card.kind === "running") this.update(old.element, card);
      if (old) continue;
      const element = this.make(card);
      this.shown.set(card.id, { element, card });
      this.root.append(element);
      this.root.scrollTop = this.root.scrollHeight;
      if (card.kind === "question" && this.panel.hasFocus) element.querySelector("button")?.focus();
    }
    const running = cards.filter((card) => card.kind === "running").length;
    this.root.classList.toggle(`${P}many`, running > 3);
  }

  /** @param {HTMLElement} element @param {Card} card */
  update(element, card) {
    const bar = element.querySelector("progress");
    if (bar instanceof HTMLProgressElement) setBar(bar, card.fraction);
    const text = element.querySelector(`.${P}figures`);
    if (text) text.textContent = card.text;
  }

  /** @param {Card} card */
  make(card) {
    const { kernel } = this.panel;
    const element = make("div", `card ${card.kind}`);
    if (card.kind === "running") {
      const name = make("span", "name-text");
      fill(name, card.name);
      const bar = make("progress", "bar", { max: "1", "aria-label": card.name });
      setBar(bar, card.fraction);
      const cancel = button("Cancel", "close", () => kernel.ask("cancel", { card: card.id }), { text: true, title: `Stop ${card.name}` });
      element.append(name, bar, make("span", "figures", {}, card.text), cancel);
      return element;
    }
    element.append(make("p", "", {}, card.text));
    if (card.kind === "question") {
      element.setAttribute("role", "alertdialog");
      element.setAttribute("aria-label", card.text);
      const answer = (/** @type {boolean} */ yes) => kernel.ask("answer", { card: card.id, yes });
      element.append(
        make("span", "answers", {},
          button("Keep it", "", () => answer(false), { text: true }),
          button(card.answer, "", () => answer(true), { text: true, names: "danger" })),
      );
      element.addEventListener("keydown", (event) => {
        if (event.key === "Escape") answer(false);
      });
      return element;
    }
    if (card.code) element.append(this.panel.offer(card.code));
    if (card.lines.length) element.append(make("pre", "lines", { tabindex: "0" }, card.lines.join("\n")));
    element.append(button("Dismiss", "close", () => kernel.ask("dismiss", { card: card.id }), { names: "quiet dismiss" }));
    return element;
  }
}

/** @param {HTMLProgressElement} bar @param {number | null} fraction */
function setBar(bar, fraction) {
  if (fraction === null) bar.removeAttribute("value");
  else bar.value = fraction;
}

// ---- the panel

class Panel {
  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.id = `${P}panel-${++ids}`;
    /** @type {string[]} */
    this.urls = [];
    /** @type {Map<number, File>} */
    this.files = new Map();
    this.automatic = true;
    this.resting = 0;
    this.typing = 0;
    /** @type {number | null} pixels that the kernel has not taken yet */
    this.wanted = null;
    this.sized = 0;
    this.named = "";
    this.typedFor = -1; // number of the choice that the variable's name was typed for
    this.kernel = new Kernel(model, (state) => this.kernelIs(state));
    this.rows = new Rows(this);
    this.cards = new Cards(this);
    this.root = make("section", "panel", { "aria-label": "S3 browser", "data-jp-suppress-context-menu": "" });
    this.crumbs = make("nav", "crumbs", { "aria-label": "Where" });
    this.address = this.field("s3://bucket/folder/", "Address");
    this.filter = this.field("Filter", "Filter");
    this.mode = make("select", "select", { "aria-label": "How to filter", title: "'begins with' looks in this folder, 'contains' in all keys below it" },
      make("option", "", { value: "begins" }, "begins with"), make("option", "", { value: "contains" }, "contains"));
    this.status = make("span", "status", { role: "status" });
    this.all = button("List all", "", () => this.kernel.ask(this.model.get("_listing").is_search ? "more" : "all"), { text: true });
    this.stop = button("Stop", "close", () => this.kernel.ask("stop"), { text: true, title: "Ask for no more; what is here stays" });
    this.notice = make("div", "notice", { role: "status" });
    this.picker = make("input", "", { type: "file", multiple: "", hidden: "", "aria-label": "Files to upload" });
    this.preview = make("div", "preview", { "aria-live": "polite", role: "region", "aria-label": "Preview", tabindex: "0" });
    this.back = button("Back", "back", () => this.leave("back"));
    this.up = button("Up", "up", () => this.leave("up"));
    this.where = make("div", "where");
    this.title = make("h3", "title-line");
    this.summary = make("span", "faint summary");
    this.name = this.field("variable", "Name of the variable");
    this.loading = button("Load as", "load", () => this.act("load"), { text: true, names: "primary", title: "Load into this variable, in the background" });
    /** @type {Record<string, HTMLButtonElement>} */
    this.buttons = {
      look: button("Preview", "eye", () => this.act("look"), { title: "Look inside; nothing is executed" }),
      copy: button("Copy URI", "copy", () => this.act("copy")),
      code: button("Insert code", "code", () => this.act("code"), { title: "Put the line that loads it into a new cell" }),
      file: button("Open as file", "open", () => this.act("file"), { title: "Bind a file to the variable; nothing is fetched yet" }),
      download: button("Download", "download", () => this.act("download"), { title: "Into the notebook's folder" }),
      delete: button("Delete", "trash", () => this.act("delete"), { title: "Delete; you are asked first" }),
    };
    this.blocked = make("div", "blocked");
    this.pairs = make("div", "facts");
    this.facts = make("details", "details", {}, make("summary", "", {}, "Details"), this.pairs);
    this.profile = make("select", "select", { "aria-label": "Profile of the AWS configuration files" });
    this.endpoint = this.field("AWS", "Endpoint");
    this.uploading = this.popup("Upload", "upload", this.uploadForm());
    this.connecting = this.popup("Connection", "plug", this.connectionForm(), () => this.fillConnection());
    this.changed = false; // whether something else is in that form than what is in force
    this.grip = make("div", "height", { role: "separator", tabindex: "0", "aria-orientation": "horizontal", "aria-label": "Height of the panel", "aria-valuemin": String(LOWEST), "aria-valuemax": String(HIGHEST), "aria-valuenow": "460", title: "Drag to make it higher or lower" });
    this.build();
    /** @type {[string, () => void][]} */
    this.heard = [
      ["change:_place", () => this.drawPlace()], ["change:_listing", () => this.drawListing()],
      ["change:_chosen", () => this.drawChosen()], ["change:_cards", () => this.cards.take(model.get("_cards"))],
      ["change:_connection", () => this.drawConnection()], ["change:_note", () => this.drawNote()],
      ["change:height", () => this.takeHeight()],
    ];
    for (const [name, call] of this.heard) {
      model.on(name, call);
      call();
    }
    this.message = (/** @type {any} */ content, /** @type {DataView[]} */ buffers) => this.take(content, buffers);
    model.on("msg:custom", this.message);
    el.append(this.root);
    this.widened = new ResizeObserver(() => this.drawHeight());
    this.widened.observe(el);
    this.rows.draw();
    this.kernel.ask("hello");
  }

  get hasFocus() {
    return this.root.contains(document.activeElement);
  }

  /** @param {string} placeholder @param {string} label */
  field(placeholder, label) {
    return make("input", "field", { type: "text", placeholder, "aria-label": label, spellcheck: "false", autocomplete: "off" });
  }

  // -- making it

  build() {
    const edit = button("Type an address", "edit", () => this.editAddress(), { names: "quiet" });
    this.where.append(this.crumbs, edit, this.address);
    this.address.hidden = true;
    this.crumbs.addEventListener("click", (event) => {
      if (event.target === this.crumbs) this.editAddress();
    });
    this.address.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        this.leave("go", { text: this.address.value });
        this.endAddress();
      } else if (event.key === "Escape") this.endAddress();
    });
    this.address.addEventListener("blur", () => this.endAddress(false));
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.applyFilter();
      else if (event.key === "Escape") this.clearFilter();
      else if (event.key === "ArrowDown") this.rows.root.focus();
    });
    this.filter.addEventListener("input", () => {
      window.clearTimeout(this.typing);
      // To look through all keys costs requests: that waits for Enter.
      if (this.mode.value === "begins") this.typing = window.setTimeout(() => this.applyFilter(), 400);
    });
    this.mode.addEventListener("change", () => this.filter.value && this.applyFilter());
    const bar = make("div", "toolbar", {}, this.back, this.up, this.where,
      button("Refresh", "refresh", () => this.kernel.ask("refresh")),
      make("div", "filtering", {}, this.filter, this.mode), this.uploading.root, this.connecting.root);
    const foot = make("div", "foot", {}, this.status, this.all, this.stop);
    const left = make("div", "left", {}, make("div", "sheet", {}, this.rows.root, this.rows.over), foot);
    const split = make("div", "split", { role: "separator", tabindex: "0", "aria-orientation": "vertical", "aria-label": "Width of the list", "aria-valuenow": "55" });
    this.wireSplit(split);
    const middle = make("div", "middle", {}, left, split, this.side());
    this.wireHeight(this.grip);
    this.root.append(bar, this.notice, middle, this.cards.root, this.grip, this.picker);
    this.wireDrop();
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  side() {
    this.name.classList.add(`${P}variable`);
    this.name.addEventListener("keydown", (event) => event.key === "Enter" && this.act("load"));
    this.name.addEventListener("input", () => (this.typedFor = this.rows.choice));
    const actions = make("div", "actions", {}, this.loading, this.name, make("div", "tools", {}, ...Object.values(this.buttons)));
    const turn = make("input", "", { type: "checkbox", id: `${this.id}-auto` });
    turn.checked = true;
    turn.addEventListener("change", () => {
      this.automatic = turn.checked;
      this.restNot();
    });
    const auto = make("label", "auto", { for: `${this.id}-auto`, title: "Look inside when a row is chosen; 1 MB is fetched at most" }, turn, " Preview by itself");
    return make("div", "side", {}, make("div", "name-line", {}, this.title, this.summary), actions, this.blocked, make("div", "about", {}, this.facts, auto), this.preview);
  }

  uploadForm() {
    const choose = button("Choose files …", "upload", () => this.picker.click(), { text: true });
    const path = this.field("or a path beside the notebook, and Enter", "Path of a file beside the notebook");
    path.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      this.kernel.ask("path", { place: this.model.get("_place").number, text: path.value });
      this.uploading.close();
    });
    this.picker.addEventListener("change", () => {
      this.upload([...(this.picker.files ?? [])]);
      this.picker.value = "";
      this.uploading.close();
    });
    return make("div", "form", {}, choose, path, make("p", "faint", {}, "Or drop files on the list."));
  }

  connectionForm() {
    const apply = () => {
      this.kernel.ask("connect", { profile: this.profile.value, endpoint: this.endpoint.value });
      this.changed = false;
      this.connecting.close();
    };
    this.endpoint.addEventListener("keydown", (event) => event.key === "Enter" && apply());
    const form = make("div", "form", {},
      make("label", "", {}, "Profile ", this.profile), make("label", "", {}, "Endpoint ", this.endpoint),
      button("Connect", "plug", apply, { text: true, names: "primary" }));
    form.addEventListener("input", () => (this.changed = true));
    return form;
  }

  /** @param {string} label @param {string} picture @param {HTMLElement} form @param {() => void} [fill] called before it is shown */
  popup(label, picture, form, fill) {
    const open = button(label, picture, () => (box.hidden ? show() : close()), { text: true });
    open.setAttribute("aria-expanded", "false");
    const box = make("div", "popup", { role: "group", "aria-label": label }, form);
    box.hidden = true;
    const outside = (/** @type {Event} */ event) => {
      if (event.target instanceof Node && !root.contains(event.target)) close();
    };
    const show = () => {
      fill?.();
      box.hidden = false;
      open.setAttribute("aria-expanded", "true");
      document.addEventListener("pointerdown", outside, true);
      /** @type {HTMLElement | null} */ (box.querySelector("input, select, button"))?.focus();
    };
    const close = () => {
      box.hidden = true;
      open.setAttribute("aria-expanded", "false");
      document.removeEventListener("pointerdown", outside, true);
    };
    const root = make("div", "popping", {}, open, box);
    root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || box.hidden) return;
      close();
      open.focus();
      event.stopPropagation();
    });
    return { root, open, close };
  }

  /** @param {HTMLElement} split */
  wireSplit(split) {
    const set = (/** @type {number} */ share) => {
      const kept = Math.min(85, Math.max(20, share));
      this.root.style.setProperty(`--${P}share`, `${kept}%`);
      split.setAttribute("aria-valuenow", String(Math.round(kept)));
    };
    split.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const box = /** @type {HTMLElement} */ (split.parentElement).getBoundingClientRect();
      const stacked = getComputedStyle(/** @type {HTMLElement} */ (split.parentElement)).flexDirection === "column";
      drag(event, (move) => set(100 * (stacked ? (move.clientY - box.top) / box.height : (move.clientX - box.left) / box.width)));
    });
    split.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -4, ArrowUp: -4, ArrowRight: 4, ArrowDown: 4 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      set(Number(split.getAttribute("aria-valuenow")) + step);
    });
  }

  /** @param {HTMLElement} grip */
  wireHeight(grip) {
    const set = (/** @type {number} */ pixels) => {
      this.wanted = Math.min(HIGHEST, Math.max(LOWEST, Math.round(pixels)));
      this.drawHeight();
    };
    const tell = () => {
      this.sized = this.kernel.ask("height", { pixels: this.height });
    };
    grip.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const [begin, height] = [event.clientY, this.height];
      drag(event, (move) => set(height + move.clientY - begin), tell);
    });
    grip.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -40, ArrowDown: 40 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      set(this.height + step);
      tell();
    });
  }

  wireDrop() {
    const over = (/** @type {boolean} */ on) => this.root.classList.toggle(`${P}over`, on);
    this.root.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files") || !this.model.get("_place").can_upload) return;
      event.preventDefault();
      event.stopPropagation();
      over(true);
    });
    this.root.addEventListener("dragleave", (event) => {
      if (!(event.relatedTarget instanceof Node) || !this.root.contains(event.relatedTarget)) over(false);
    });
    this.root.addEventListener("drop", (event) => {
      over(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (!files.length) return;
      event.preventDefault();
      event.stopPropagation();
      this.upload(files);
    });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f") {
      this.filter.focus();
      event.preventDefault();
    } else if (event.key === "Escape" && event.target !== this.rows.root) this.rows.root.focus();
    // What is typed here is for here: the notebook has shortcuts of single letters.
    event.stopPropagation();
  }

  // -- what the kernel says

  /** @param {any} content @param {DataView[]} buffers */
  take(content, buffers) {
    switch (content?.is) {
      case "heard": this.kernel.heard(content.n); break;
      case "rows": this.rows.takeRows(content); break;
      case "found": this.rows.found(content); break;
      case "looking": this.showLooking(); break;
      case "preview": this.showPreview(content, buffers); break;
      case "copied": if (this.kernel.isOwn(content.answers)) void this.copy(content.text); break;
      case "code": if (this.kernel.isOwn(content.answers)) this.insert(content.text); break;
      case "piece": void this.sendPiece(content); break;
      case "taken": this.files.delete(content.file); break;
    }
  }

  /** @param {"there" | "waits" | "gone"} state */
  kernelIs(state) {
    const words = {
      there: "",
      waits: "Waits for the kernel, which is busy or has not answered yet …",
      gone: "The kernel that this panel belongs to is gone. Run the cell again.",
    };
    this.notice.dataset.kernel = words[state];
    this.drawNote();
    this.root.classList.toggle(`${P}dead`, state === "gone");
  }

  drawNote() {
    this.notice.textContent = this.notice.dataset.kernel || this.model.get("_note") || "";
    this.notice.hidden = !this.notice.textContent;
  }

  /** Pixels, without those that are added where the panel is narrow. @returns {number} */
  get height() {
    return this.wanted ?? this.model.get("height");
  }

  takeHeight() {
    // The answer to one step comes when the next may be made already.
    if (!this.kernel.pending.has(this.sized)) this.wanted = null;
    this.drawHeight();
  }

  drawHeight() {
    // Where list and preview stand below each other, they need more of it.
    const more = this.root.clientWidth && this.root.clientWidth < NARROW ? STACKED : 0;
    this.grip.setAttribute("aria-valuenow", String(this.height));
    this.root.style.height = `${this.height + more}px`;
  }

  drawPlace() {
    /** @type {Place} */
    const place = this.model.get("_place");
    if (!place.crumbs) return;
    /** @type {Node[]} */
    const steps = [];
    place.crumbs.forEach((crumb, n) => {
      if (n) steps.push(make("span", "slash", { "aria-hidden": "true" }, place.shortened && n === 2 ? "/ … /" : "/"));
      const step = make("button", "crumb", { type: "button", title: crumb.title }, crumb.name);
      if (n === place.crumbs.length - 1) step.setAttribute("aria-current", "location");
      step.addEventListener("click", () => {
        this.leave("crumb", { place: place.number, at: crumb.at });
        this.rows.root.focus();
      });
      steps.push(step);
    });
    this.crumbs.replaceChildren(...steps);
    this.crumbs.scrollLeft = this.crumbs.scrollWidth;
    this.back.disabled = !place.can_go_back;
    this.up.disabled = place.crumbs.length < 2;
    this.uploading.open.disabled = !place.can_upload;
    if (document.activeElement !== this.address) this.address.value = place.address;
  }

  drawListing() {
    /** @type {Listing} */
    const listing = this.model.get("_listing");
    if (listing.edition === undefined) return;
    this.rows.take(listing);
    const failed = listing.state === "denied" || listing.state === "error";
    // Where there are no rows, it stands in their place.
    const said = listing.count || listing.busy ? listing.text : "";
    this.status.textContent = said + (listing.listed && !failed ? ` Listed at ${listing.listed}.` : "");
    this.status.title = this.status.textContent;
    this.status.classList.toggle(`${P}bad`, failed);
    this.all.hidden = !listing.can_go_on;
    this.all.replaceChildren(listing.is_search ? "Search on" : "List all");
    this.all.title = listing.is_search ? "Look through more keys" : "List all that is here";
    this.stop.hidden = !listing.busy;
    // What is being typed is not applied yet.
    if (document.activeElement !== this.filter && !this.typing) this.filter.value = listing.filter;
    if (listing.filter) this.mode.value = listing.contains ? "contains" : "begins";
  }

  drawConnection() {
    /** @type {Connection} */
    const now = this.model.get("_connection");
    if (!now.profiles) return;
    if (!this.changed) this.fillConnection();
    const where = (now.found || now.endpoint).replace(/^https?:\/\//, "");
    this.connecting.open.title = `Profile ${now.profile || "(default)"}, endpoint ${now.found || now.endpoint || "AWS"}`;
    this.connecting.open.replaceChildren(icon("plug"), make("span", "connection", {}, `${now.profile || "default"}${where ? ` · ${where}` : ""}`));
    this.connecting.open.setAttribute("aria-label", `Connection: ${this.connecting.open.title}`);
  }

  /** Put what is in force into the form. */
  fillConnection() {
    /** @type {Connection} */
    const now = this.model.get("_connection");
    const options = ["", ...(now.profiles ?? [])].map((name) => make("option", "", { value: name }, name || "(default)"));
    this.profile.replaceChildren(...options);
    this.profile.value = now.profile ?? "";
    this.endpoint.value = now.endpoint ?? "";
    this.endpoint.placeholder = now.found || "AWS";
    this.changed = false;
  }

  /** Called when another row is chosen here, before the kernel has heard of it. */
  chose() {
    this.restNot();
    this.root.querySelector(`.${P}flash`)?.remove(); // it was about the other one
  }

  drawChosen() {
    /** @type {Chosen} */
    const chosen = this.model.get("_chosen");
    this.rows.follow(chosen);
    const one = chosen.count === 1;
    const objects = chosen.objects ?? 0;
    fill(this.title, chosen.count ? chosen.title ?? "" : "Nothing chosen");
    this.title.title = chosen.uri ?? "";
    this.summary.textContent = chosen.summary ?? "";
    const key = `${chosen.uri}\n${chosen.variable}`;
    if (key !== this.named && !this.typed) this.name.value = chosen.variable ?? "";
    this.named = key;
    this.loading.disabled = !objects || Boolean(chosen.blocked);
    this.name.disabled = !(one && objects);
    this.buttons.look.disabled = !(one && objects);
    this.buttons.copy.disabled = !chosen.count;
    for (const name of ["code", "file", "download", "delete"]) this.buttons[name].disabled = !objects;
    this.blocked.replaceChildren();
    if (chosen.blocked) {
      this.blocked.append(
        make("p", "", {}, "Not loaded from here: it imports names that are not on the safe list. Only if you trust whoever wrote it, run this line in a cell:"),
        this.offer(chosen.blocked),
      );
    }
    this.pairs.replaceChildren(pairTable(chosen.pairs ?? []));
    this.facts.hidden = !chosen.pairs?.length;
    if (this.preview.dataset.of !== (chosen.uri ?? "")) {
      this.restNot();
      this.preview.dataset.of = chosen.uri ?? "";
      if (one && objects && this.automatic) this.resting = window.setTimeout(() => this.rested(), REST_MS);
    }
  }

  /** Look into what is chosen, which has rested for a while. */
  rested() {
    this.resting = 0;
    this.kernel.ask("look", { by_itself: true });
  }

  /** Look into nothing by itself for now; when the same is chosen again, it has not been looked into. */
  restNot() {
    if (!this.resting) return;
    window.clearTimeout(this.resting);
    this.resting = 0;
    this.preview.dataset.of = "";
  }

  // -- previews

  forgetPictures() {
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls = [];
  }

  showLooking() {
    this.forgetPictures();
    this.preview.replaceChildren(make("div", "skeleton tall", { "aria-label": "Looking inside" }, make("span", "bone"), make("span", "bone"), make("span", "bone")));
  }

  /** @param {{preview?: Preview | null, error?: string}} content @param {DataView[]} buffers */
  showPreview(content, buffers) {
    this.forgetPictures();
    if (content.error) this.preview.replaceChildren(make("p", "failed", {}, content.error));
    else if (content.preview) this.preview.replaceChildren(...previewed(content.preview, buffers?.[0], (url) => this.urls.push(url)));
    else this.preview.replaceChildren();
    this.preview.scrollTop = 0;
  }

  // -- acting

  /** Whether the variable's name was typed for what is chosen now. */
  get typed() {
    return this.typedFor === this.rows.choice;
  }

  /** The variable to load into; none while the name that is shown is still that of what was chosen before. */
  get variable() {
    return this.typed || this.known ? this.name.value.trim() : "";
  }

  /** What the kernel knows of what is chosen here; null as long as it has not heard of it. @returns {Chosen | null} */
  get known() {
    /** @type {Chosen} */
    const chosen = this.model.get("_chosen");
    return chosen.edition === this.rows.edition && chosen.answers === this.rows.choice ? chosen : null;
  }

  /** @param {string} what */
  act(what) {
    const copies = this.known?.copies;
    // In the click itself, for a page may hardly write later; of more than that, or sooner, the kernel tells.
    if (what === "copy" && copies) void this.copy(copies);
    else if (what === "load" || what === "file" || what === "code") this.kernel.ask(what, { name: this.variable });
    else if (what === "look") this.kernel.ask(what, { by_itself: false });
    else this.kernel.ask(what);
  }

  /** Go elsewhere: a filter that is being typed is for here. @param {string} what @param {Record<string, any>} [fields] */
  leave(what, fields) {
    this.typeNoMore();
    this.kernel.ask(what, fields);
  }

  typeNoMore() {
    window.clearTimeout(this.typing);
    this.typing = 0;
  }

  applyFilter() {
    this.typeNoMore();
    this.kernel.ask("filter", { text: this.filter.value, contains: this.mode.value === "contains" });
  }

  clearFilter() {
    this.filter.value = "";
    this.applyFilter();
    this.rows.root.focus();
  }

  editAddress() {
    this.where.classList.add(`${P}editing`);
    this.address.hidden = false;
    this.address.focus();
    this.address.select();
  }

  endAddress(refocus = true) {
    if (this.address.hidden) return;
    this.address.hidden = true;
    this.where.classList.remove(`${P}editing`);
    this.address.value = this.model.get("_place").address ?? "";
    if (refocus) this.rows.root.focus();
  }

  /** @param {number} x @param {number} y */
  showMenu(x, y) {
    const menu = make("div", "menu", { role: "menu", tabindex: "-1", "aria-label": "What to do with what is chosen" });
    menu.addEventListener("contextmenu", (event) => event.preventDefault()); // of the key that has opened it
    const back = document.activeElement;
    const close = () => {
      menu.remove();
      document.removeEventListener("pointerdown", outside, true);
      if (back instanceof HTMLElement) back.focus();
    };
    const outside = (/** @type {Event} */ event) => {
      if (event.target instanceof Node && !menu.contains(event.target)) close();
    };
    /** @type {[string, string, () => void, boolean][]} */
    const items = [
      ["Open", "folder", () => this.rows.open(this.rows.lead), true],
      ["Load", "load", () => this.act("load"), this.rows.hasObjects && !this.known?.blocked],
      ["Open as file", "open", () => this.act("file"), this.rows.hasObjects],
      ["Copy URI", "copy", () => this.act("copy"), true],
      ["Copy link for an hour", "copy", () => this.act("sign"), this.rows.hasObjects],
      ["Insert code", "code", () => this.act("code"), this.rows.hasObjects],
      ["Download", "download", () => this.act("download"), this.rows.hasObjects],
      ["Delete …", "trash", () => this.act("delete"), this.rows.hasObjects],
    ];
    for (const [label, picture, act, can] of items) {
      const item = make("button", "item", { type: "button", role: "menuitem" }, icon(picture), make("span", "", {}, label));
      item.disabled = !can;
      item.addEventListener("click", () => {
        close();
        act();
      });
      menu.append(item);
    }
    menu.addEventListener("keydown", (event) => {
      const all = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button:not(:disabled)")]);
      const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
      else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length].focus();
      else if (event.key === "Home") all[0].focus();
      else if (event.key === "End") all[all.length - 1].focus();
      else if (event.key === "Escape" || event.key === "Tab") close();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.root.append(menu);
    const [box, size] = [this.root.getBoundingClientRect(), menu.getBoundingClientRect()];
    menu.style.left = `${Math.max(0, Math.min(x - box.left, box.width - size.width - 4))}px`;
    menu.style.top = `${Math.max(0, Math.min(y - box.top, box.height - size.height - 4))}px`;
    menu.querySelector("button")?.focus();
    document.addEventListener("pointerdown", outside, true);
  }

  /** @param {string} text */
  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.flash("Copied");
    } catch {
      // The page may not: the text stands there, chosen, to be copied by hand.
      const field = this.offer(text);
      this.flash("Copy it from here:", field);
      /** @type {HTMLInputElement | HTMLTextAreaElement | null} */ (field.querySelector("input, textarea"))?.select();
    }
  }

  /** @param {string} text @param {HTMLElement} [more] */
  flash(text, more) {
    const made = make("div", "flash", { role: "status" }, make("span", "", {}, text), ...(more ? [more] : []));
    this.root.querySelector(`.${P}flash`)?.remove();
    if (more) made.append(button("Dismiss", "close", () => made.remove(), { names: "quiet" }));
    else window.setTimeout(() => made.remove(), 1500);
    this.root.append(made);
  }

  /** Return `code` in a field, with what copies it. @param {string} code */
  offer(code) {
    const many = code.includes("\n");
    const field = make(many ? "textarea" : "input", "field code", { readonly: "", "aria-label": "The text to copy", spellcheck: "false" });
    field.value = code;
    field.addEventListener("focus", () => field.select());
    const copy = button("Copy", "copy", () => void navigator.clipboard?.writeText(code).then(() => this.flash("Copied"), () => field.select()));
    return make("div", "offer", {}, field, copy);
  }

  /**
   * Put `code` into a new cell, where the page has JupyterLab's "command linker"; it is shown in any case.
   * See: https://jupyterlab.readthedocs.io/en/stable/user/commands.html
   * @param {string} code
   */
  insert(code) {
    const book = this.el.closest(".jp-NotebookPanel");
    const used = document.activeElement?.closest(".jp-NotebookPanel") ?? book;
    // The command is for the notebook that is used now: when the kernel took its time, that may be another.
    if (!book || used !== book || !book.checkVisibility()) {
      this.flash("The line to run:", this.offer(code));
      return;
    }
    const link = make("button", "", { type: "button", hidden: "", "aria-hidden": "true" });
    link.dataset.commandlinkerCommand = "apputils:run-all-enabled";
    link.dataset.commandlinkerArgs = JSON.stringify({
      commands: ["notebook:insert-cell-below", "notebook:replace-selection"],
      args: { text: code },
    });
    this.root.append(link);
    link.click();
    link.remove();
    this.flash("The line that loads it:", this.offer(code));
  }

  // -- uploads

  /** @param {File[]} files */
  upload(files) {
    for (const file of files) {
      const number = ++ids;
      this.files.set(number, file);
      this.kernel.ask("upload", { place: this.model.get("_place").number, file: number, name: file.name, size: file.size });
    }
  }

  /** @param {{file: number, at: number, size: number}} wanted */
  async sendPiece({ file: number, at, size }) {
    const file = this.files.get(number);
    if (!file) return;
    let data = new ArrayBuffer(0);
    try {
      data = await file.slice(at, at + size).arrayBuffer();
    } catch {
      // A file that changed or went away: the kernel sees that the piece is not all there.
    }
    this.kernel.ask("piece", { file: number, at }, [data]);
  }

  close() {
    for (const [name, call] of this.heard) this.model.off(name, call);
    this.model.off("msg:custom", this.message);
    window.clearTimeout(this.resting);
    window.clearTimeout(this.typing);
    this.forgetPictures();
    this.widened.disconnect();
    this.rows.close();
    this.kernel.close();
    this.root.remove();
  }
}

export default {
  /** @param {{model: Model, el: HTMLElement}} place */
  render({ model, el }) {
    const panel = new Panel(model, el);
    return () => panel.close();
  },
};
