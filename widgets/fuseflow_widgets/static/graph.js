// GraphView: a dataflow graph that zooms, searches, collapses, colours its nodes and says what each one is.
import { attribute, button, count, frame, h, press, reachable, short, svg, timed } from "./page.js";
import { extent, picture } from "./pane.js";

const STEPS = ["#FFFFD9", "#D3EEB3", "#97D6B9", "#4FB8C6", "#4C97C9"];
const PARTS = { iteration: "#CFE4F5", compute: "#FBDDC1", construction: "#E4EFC8" };

function render({ model, el }) {
  const { root, body, follow, ask, set, cleanup, cleanups } = frame(model, el, "graph", "dataflow graph");
  const view = picture({ label: "dataflow graph; Tab moves through its nodes, Enter selects", height: model.get("height") });
  cleanups.push(view.stop);
  const graphs = h("select", { "aria-label": "region", class: "ff-which", onchange: (event) => set("current", event.target.value) });
  const search = h("input", { type: "search", class: "ff-search", placeholder: "find a node, tensor or role", "aria-label": "find a node, tensor or role" });
  const found = h("span", { class: "ff-faint ff-found", "aria-live": "polite" });
  const colour = h("select", { "aria-label": "colour by", class: "ff-colour", onchange: (event) => set("colour", event.target.value) });
  const collapse = button("collapse", "draw every part and every set of lanes as one node", () => ask("collapse", { on: !model.get("collapsed") }), { class: "ff-button ff-collapse" });
  const back = button("←", "back to the node selected before (Backspace)", () => goBack());
  const legend = h("div", { class: "ff-legend" });
  const detail = h("div", { class: "ff-detail", "aria-live": "polite" });
  body.append(
    h("div", { class: "ff-bar", role: "toolbar", "aria-label": "graph" }, graphs, search, found, h("label", {}, "colour ", colour), collapse, back, view.controls),
    h("div", { class: "ff-split" }, h("div", { class: "ff-main" }, view.pane, legend), h("div", { class: "ff-side", style: `max-height:${model.get("height") + 28}px` }, detail)),
  );
  let trail = [];
  /** What is drawn: nodes and groups by name, streams with their ends. */
  let blocks = new Map(), streams = [];
  const element = (name) => (blocks.get(name) ?? blocks.get(model.get("members")[name]))?.group;
  function go(name) {
    trail.push(...model.get("selected").slice(0, 1));
    set("selected", [name]);
    const target = element(name);
    if (target) { view.centre(target); target.focus({ preventScroll: true }); }
  }
  function goBack() {
    const name = trail.pop();
    if (name) { set("selected", [name]); if (element(name)) view.centre(element(name)); }
  }

  const choose = (name) => {
    trail.push(...model.get("selected").slice(0, 1));
    set("selected", [name]);
  };
  /** Find what is drawn in a new picture and make it answer to clicks and keys. */
  function prepare(picture) {
    const nodes = model.get("nodes");
    blocks = new Map();
    for (const group of picture.querySelectorAll("g.block, g.ff-group")) {
      const name = group.id.replace(/^node-/, "");
      const shapes = [...group.querySelectorAll("polygon, ellipse, path")].filter((shape) => shape.getAttribute("fill") !== "none");
      blocks.set(name, { group, shapes, fills: shapes.map((shape) => shape.getAttribute("fill")), badge: null });
      if (group.classList.contains("ff-group")) press(group, `${name}, collapsed; press Enter to open`, () => ask("open", { group: name }));
      else press(group, `${name}: ${nodes[name]?.role || nodes[name]?.does || ""}`, () => choose(name));
    }
    streams = [];
    for (const edge of picture.querySelectorAll("g.stream")) {
      const match = edge.id.match(/^edge-(.*)\.[^.]*-(.*)\.[^.]*$/);
      if (!match) continue;
      const [, source, target] = match;
      streams.push({ edge, source, target });
      reachable(edge, `stream from ${source} to ${target}; press Enter to follow it`, () => go(model.get("selected")[0] === target ? source : target));
    }
    paint();
    mark();
    seek();
  }

  function draw() {
    const begun = performance.now();
    blocks = new Map();
    streams = [];
    if (!view.show(model.get("svg"), false, prepare)) { paint(); mark(); }
    const names = model.get("graphs");
    graphs.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    graphs.value = model.get("current");
    graphs.hidden = names.length < 2;
    collapse.textContent = model.get("collapsed") ? "expand" : "collapse";
    collapse.setAttribute("aria-pressed", model.get("collapsed"));
    collapse.hidden = !model.get("collapsible");
    timed(root, begun);
    root.dataset.version = model.get("version");
  }

  function paint() {
    const measures = model.get("measures");
    const wanted = model.get("colour");
    colour.replaceChildren(h("option", { value: "kind" }, "kind of block"), h("option", { value: "part" }, "part"),
      ...Object.entries(measures).map(([key, { label }]) => h("option", { value: key }, label)));
    if (!measures.busy) colour.append(h("option", { disabled: true, value: "" }, "busy, waiting, …: after a run"));
    colour.value = wanted;
    const nodes = model.get("nodes");
    const measure = measures[wanted];
    const top = measure ? measure.total ?? Math.max(1, ...Object.values(measure.values)) : 1;
    for (const [name, block] of blocks) {
      const part = nodes[name]?.part;
      const value = measure?.values[name];
      let fill = null, text = "";
      if (measure) {
        fill = value === undefined ? "#FFFFFF" : STEPS[Math.min(4, Math.floor((5 * value) / top))];
        if (value !== undefined) text = measure.total ? `${Math.round((100 * value) / top)} %` : short(value);
      } else if (wanted === "part" && part) [fill, text] = [PARTS[part], part.slice(0, 4)];
      block.shapes.forEach((shape, at) => attribute(shape, "fill", fill ?? block.fills[at]));
      badge(block, text);
    }
    legend.replaceChildren();
    if (measure) {
      const label = (at) => measure.total ? `${at * 20}–${at * 20 + 20} %` : `${short((top * at) / 5)}–${short((top * (at + 1)) / 5)}`;
      legend.append(h("b", {}, measure.words), ...STEPS.map((step, at) => h("span", {}, h("i", { class: "ff-swatch", style: `background:${step}` }), label(at))));
    } else if (wanted === "part") {
      legend.append(h("b", {}, "part of the region"), ...Object.entries(PARTS).map(([part, fill]) => h("span", {}, h("i", { class: "ff-swatch", style: `background:${fill}` }), `${part} (${part.slice(0, 4)})`)));
    } else {
      legend.append(h("span", {}, h("i", { class: "ff-line ff-ref" }), "reference"), h("span", {}, h("i", { class: "ff-line ff-dashed" }), "coordinate"),
        h("span", {}, h("i", { class: "ff-line ff-solid" }), "value"), h("span", {}, h("i", { class: "ff-line ff-dotted" }), "repeat signal"),
        h("span", { class: "ff-faint" }, "box: scanner · hexagon: join · cylinder: array · double oval: ALU · funnel: reduce · note: writer"));
    }
  }
  /** A word at the upper right corner of a node; an empty one takes it away. */
  function badge(block, text) {
    if (!text || !block.shapes.length) {
      block.badge?.remove();
      block.badge = null;
      return;
    }
    if (!block.badge) {
      const { right, top } = extent(block.shapes[0]);
      block.badge = svg("text", { class: "ff-badge", x: right - 2, y: top - 2, "text-anchor": "end" });
      block.group.append(block.badge);
    }
    if (block.badge.textContent !== text) block.badge.textContent = text;
  }

  function mark() {
    const chosen = new Set(model.get("selected"));
    const members = model.get("members");
    for (const name of [...chosen]) if (members[name]) chosen.add(members[name]);
    for (const [name, { group }] of blocks) {
      group.classList.toggle("ff-chosen", chosen.has(name));
      attribute(group, "aria-pressed", chosen.has(name));
    }
    for (const { edge, source, target } of streams) edge.classList.toggle("ff-near", chosen.has(source) || chosen.has(target));
    describe();
  }
  function describe() {
    const [name] = model.get("selected");
    const node = model.get("nodes")[name];
    if (!node) {
      detail.replaceChildren(h("p", { class: "ff-faint" }, name ? `${name} is in another region.` : "Select a node: click it, or Tab to it and press Enter."));
      return;
    }
    const jump = ([port, other, kind]) => h("li", {}, h("span", { class: `ff-kind ff-${kind}` }, kind), ` ${port} `,
      h("button", { type: "button", class: "ff-jump", onclick: () => go(other), title: `go to ${other}` }, other));
    const facts = [["does", node.does], ["role", node.role], ["part", node.part], ["from", node.source]].filter(([, text]) => text);
    detail.replaceChildren(
      h("h4", { class: "ff-node-name" }, name),
      h("dl", {}, ...facts.flatMap(([key, text]) => [h("dt", {}, key), h("dd", {}, text)])),
      node.cells.length ? h("p", {}, h("b", {}, "table "), node.cells.join("; ")) : "",
      h("b", {}, "reads"), h("ul", {}, ...(node.ins.length ? node.ins.map(jump) : [h("li", { class: "ff-faint" }, "nothing")])),
      h("b", {}, "feeds"), h("ul", {}, ...(node.outs.length ? node.outs.map(jump) : [h("li", { class: "ff-faint" }, "memory")])),
      node.stats ? h("table", { class: "ff-stats" }, h("caption", {}, "in the last run"), h("tbody", {}, ...node.stats.map(([label, value, unit]) =>
        h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, `${count(value)} ${unit}`))))) : h("p", { class: "ff-faint" }, "timing and counters appear after a run"),
    );
  }
  // Streams are painted, and so stand in the page, before all blocks; Tab goes from each block to its own streams.
  view.pane.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.ctrlKey || event.altKey || event.metaKey) return;
    const order = [view.pane, ...[...blocks].flatMap(([name, { group }]) => [group, ...streams.filter(({ source }) => source === name).map(({ edge }) => edge)])];
    const at = order.indexOf(event.target);
    const next = order[at + (event.shiftKey ? -1 : 1)];
    if (at < 0 || (event.shiftKey && at === 0)) return;
    if (next) { next.focus({ preventScroll: true }); event.preventDefault(); }
    else [...blocks.values()].at(-1)?.group.focus({ preventScroll: true });  // the last in the page: Tab goes on behind it
  });
  let hits = [], place = -1;
  function seek() {
    const text = search.value.trim().toLowerCase();
    const nodes = model.get("nodes");
    hits = text ? Object.keys(nodes).filter((name) => `${name} ${nodes[name].role} ${nodes[name].does}`.toLowerCase().includes(text)) : [];
    place = -1;
    found.textContent = text ? `${hits.length} found` : "";
    const drawn = new Set(hits.flatMap((name) => [name, model.get("members")[name]]));
    for (const [name, { group }] of blocks) group.classList.toggle("ff-hit-node", drawn.has(name));
  }
  search.addEventListener("input", seek);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && hits.length) {
      place = (place + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
      set("selected", [hits[place]]);
      const target = element(hits[place]);
      if (target) view.centre(target);
      found.textContent = `${place + 1} of ${hits.length}`;
    } else if (event.key === "Escape") { search.value = ""; seek(); }
    event.stopPropagation();
  });
  root.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea")) return;
    if (event.key === "/") search.focus();
    else if (event.key === "Backspace") goBack();
    else if (event.key === "Escape") set("selected", []);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  follow({
    measures: () => { paint(); describe(); },
    nodes: describe,
    colour: paint,
    selected: () => {
      mark();
      const target = model.get("selected").map(element).find(Boolean);
      if (target) view.centre(target);
    },
  }, draw);
  draw();
  return cleanup;
}
export default { render };
