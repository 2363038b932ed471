// GraphView: a dataflow graph that zooms, searches, collapses, colours its nodes and says what each one is.
import { button, count, frame, h, picture, press, reachable, short, svg } from "./page.js";

const STEPS = ["#FFFFD9", "#D3EEB3", "#97D6B9", "#4FB8C6", "#4C97C9"];
const PARTS = { iteration: "#CFE4F5", compute: "#FBDDC1", construction: "#E4EFC8" };

function render({ model, el }) {
  const { root, body, on, ask, set, cleanup, cleanups } = frame(model, el, "graph", "dataflow graph");
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
  const nodeOf = (group) => group.id.replace(/^node-/, "");
  const groups = () => [...view.holder.querySelectorAll('g.block, g.ff-group')];
  const element = (name) => view.holder.querySelector(`#${CSS.escape(`node-${name}`)}`) ?? view.holder.querySelector(`#${CSS.escape(`node-${model.get("members")[name] ?? ""}`)}`);
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

  function draw(keep = false) {
    const begun = performance.now();
    view.show(model.get("svg"), keep);
    const nodes = model.get("nodes");
    for (const group of groups()) {
      const name = nodeOf(group);
      if (group.classList.contains("ff-group")) press(group, `${name}, collapsed; press Enter to open`, () => ask("open", { group: name }));
      else press(group, `${name}: ${nodes[name]?.role || nodes[name]?.does || ""}`, () => { trail.push(...model.get("selected").slice(0, 1)); set("selected", [name]); });
    }
    for (const edge of view.holder.querySelectorAll("g.stream")) {
      const match = edge.id.match(/^edge-(.*)\.([^.]*)-(.*)\.([^.]*)$/);
      if (!match) continue;
      const [, source, , target] = match;
      reachable(edge, `stream from ${source} to ${target}; press Enter to follow it`, () => {
        const here = model.get("selected")[0];
        go(here === target ? source : target);
      });
    }
    const names = model.get("graphs");
    graphs.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    graphs.value = model.get("current");
    graphs.hidden = names.length < 2;
    collapse.textContent = model.get("collapsed") ? "expand" : "collapse";
    collapse.setAttribute("aria-pressed", model.get("collapsed"));
    collapse.hidden = !model.get("collapsible");
    paint();
    mark();
    seek();
    root.dataset.drawMs = (performance.now() - begun).toFixed(1);
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
    for (const group of groups()) {
      const name = nodeOf(group);
      const shape = group.querySelector("polygon, ellipse, path:not(.ff-hit)");
      group.querySelector(".ff-badge")?.remove();
      if (!shape) continue;
      if (!("fill" in shape.dataset)) shape.dataset.fill = shape.getAttribute("fill");
      let fill = shape.dataset.fill;
      const part = nodes[name]?.part;
      if (wanted === "part" && part) fill = PARTS[part];
      if (measure) {
        const value = measure.values[name];
        fill = value === undefined ? "#FFFFFF" : STEPS[Math.min(4, Math.floor((5 * value) / top))];
        if (value !== undefined) badge(group, measure.total ? `${Math.round((100 * value) / top)} %` : short(value));
      } else if (wanted === "part" && part) badge(group, part.slice(0, 4));
      for (const each of group.querySelectorAll("polygon, ellipse, path")) if (each.dataset.fill !== "none" && each.getAttribute("fill") !== "none") each.setAttribute("fill", fill);
    }
    legend.replaceChildren();
    if (measure) {
      const label = (at) => measure.total ? `${at * 20}–${at * 20 + 20} %` : `${short((top * at) / 5)}–${short((top * (at + 1)) / 5)}`;
      legend.append(h("b", {}, measure.words), ...STEPS.map((step, at) => h("span", {}, h("i", { class: "ff-swatch", style: `background:${step}` }), label(at))));
    } else if (wanted === "part") {
      legend.append(h("b", {}, "part of the region"), ...Object.entries(PARTS).map(([part, fill]) => h("span", {}, h("i", { class: "ff-swatch", style: `background:${fill}` }), `${part} (${part.slice(0, 4)})`)));
    } else {
      legend.append(h("span", {}, h("i", { class: "ff-line ff-ref" }), "reference"), h("span", {}, h("i", { class: "ff-line ff-dashed" }), "coordinate"),
        h("span", {}, h("i", { class: "ff-line ff-solid" }), "value"), h("span", { class: "ff-faint" }, "shapes: box scanner · hexagon join · cylinder array · double oval ALU · funnel reduce · note writer"));
    }
  }
  function badge(group, text) {
    const box = group.getBBox();
    const label = svg("text", { class: "ff-badge", x: box.x + box.width - 2, y: box.y - 2, "text-anchor": "end" });
    label.textContent = text;
    group.append(label);
  }

  function mark() {
    const chosen = new Set(model.get("selected"));
    const members = model.get("members");
    for (const name of [...chosen]) if (members[name]) chosen.add(members[name]);
    for (const group of groups()) {
      group.classList.toggle("ff-chosen", chosen.has(nodeOf(group)));
      group.setAttribute("aria-pressed", chosen.has(nodeOf(group)));
    }
    for (const edge of view.holder.querySelectorAll("g.stream")) {
      const match = edge.id.match(/^edge-(.*)\.[^.]*-(.*)\.[^.]*$/);
      edge.classList.toggle("ff-near", !!match && (chosen.has(match[1]) || chosen.has(match[2])));
    }
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
  let hits = [], place = -1;
  function seek() {
    const text = search.value.trim().toLowerCase();
    const nodes = model.get("nodes");
    hits = text ? Object.keys(nodes).filter((name) => `${name} ${nodes[name].role} ${nodes[name].does}`.toLowerCase().includes(text)) : [];
    place = -1;
    found.textContent = text ? `${hits.length} found` : "";
    const drawn = new Set(hits.flatMap((name) => [name, model.get("members")[name]]));
    for (const group of groups()) group.classList.toggle("ff-hit-node", drawn.has(nodeOf(group)));
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
  on("change:version", () => draw());
  on("change:measures", () => { paint(); describe(); });
  on("change:nodes", describe);
  on("change:colour", paint);
  on("change:selected", () => {
    mark();
    const target = model.get("selected").map(element).find(Boolean);
    if (target) view.centre(target);
  });
  draw();
  return cleanup;
}
export default { render };
