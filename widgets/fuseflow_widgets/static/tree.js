// FiberTreeView: the tree on the left, the matrix and the arrays of its levels on the right; select in either.
import { frame, h, press, refill, svg } from "./page.js";

const WIDE = 34, HIGH = 52;

function render({ model, el }) {
  const { body, on, set, cleanup } = frame(model, el, "tree", "fiber tree");
  const left = h("div", { class: "ff-wide ff-tree-pane" }), right = h("div", { class: "ff-wide" }), caption = h("div", { class: "ff-faint" });
  const arrays = h("div", { class: "ff-arrays" });
  const which = h("div", { class: "ff-bar" });
  body.append(which, caption, h("div", { class: "ff-halves" }, left, h("div", {}, right, arrays)));
  let marks = [];
  const text = (value) => (Number.isInteger(value) ? `${value}` : value.toPrecision(2));
  function draw() {
    const tree = model.get("tree");
    marks = [];
    left.replaceChildren();
    right.replaceChildren();
    arrays.replaceChildren();
    caption.textContent = "";
    if (!tree.paths) return;
    caption.textContent = `${tree.name} ${tree.shape.join("×")}, format ${tree.format}: ${tree.values.length} stored values`;
    const levels = tree.kinds.length, count = Math.max(1, tree.paths.length);
    const element = svg("svg", { width: count * WIDE + 150, height: (levels + 2) * HIGH, role: "group", "aria-label": `tree of ${tree.name}` });
    const middle = new Map();
    // Fibers are found by their prefix; a node stands over the middle of its leaves.
    for (let level = 0; level <= levels; level += 1) {
      tree.paths.forEach((path, at) => {
        const key = path.slice(0, level).join(",") + `|${level}` + (level === levels ? `#${at}` : "");
        const place = middle.get(key) ?? { level, coordinate: path[level - 1], leaves: [], parent: path.slice(0, level - 1).join(",") + `|${level - 1}` };
        place.leaves.push(at);
        middle.set(key, place);
      });
    }
    if (!tree.paths.length) middle.set("|0", { level: 0, leaves: [0] });
    const x = (place) => 130 + (place.leaves[0] + place.leaves.at(-1) + 1) * WIDE / 2;
    const y = (level) => 22 + level * HIGH;
    for (let level = 1; level <= levels; level += 1) {
      const label = svg("text", { x: 2, y: y(level) + 4, class: "ff-level" });
      label.textContent = `dim ${tree.mode_order[level - 1]}, ${tree.kinds[level - 1]}`;
      element.append(label);
    }
    for (const place of middle.values()) {
      const parent = middle.get(place.parent);
      if (place.level && parent) element.append(svg("line", { x1: x(parent), y1: y(place.level - 1) + 11, x2: x(place), y2: y(place.level) - 11, class: "ff-branch" }));
    }
    for (const place of middle.values()) {
      const group = svg("g", { class: "ff-fiber-node" });
      const words = svg("text", { x: x(place), y: y(place.level) + 4, "text-anchor": "middle" });
      words.textContent = place.level ? place.coordinate : "root";
      group.append(svg("circle", { cx: x(place), cy: y(place.level), r: place.level ? 11 : 16 }), words);
      element.append(group);
      if (place.level === levels) {
        const at = place.leaves[0];
        const value = svg("text", { x: x(place), y: y(levels) + 32, "text-anchor": "middle", class: "ff-value-text" });
        value.textContent = text(tree.values[at]);
        group.append(value);
        press(group, `coordinates ${tree.paths[at].join(", ")}, value ${tree.values[at]}`, () => set("selected", model.get("selected") === at ? -1 : at));
        marks.push([at, group]);
      }
    }
    left.append(element);
    matrix(tree);
    tree.arrays.forEach((level, at) => arrays.append(h("div", {}, h("b", {}, `level ${at} (${level.kind}) `),
      ...(level.size !== undefined ? [`size ${level.size}`] : []),
      ...(level.segments ? [h("code", {}, `segments ${level.segments.join(" ")}`), " "] : []), ...(level.coordinates ? [h("code", {}, `coordinates ${level.coordinates.join(" ")}`)] : []))));
    arrays.append(h("div", {}, h("b", {}, "values "), h("code", {}, tree.values.map(text).join(" "))));
    mark();
  }
  function matrix(tree) {
    const [rows, columns] = tree.shape.length === 1 ? [1, tree.shape[0]] : tree.shape.slice(-2);
    const slices = tree.shape.length === 3 ? tree.shape[0] : 1;
    if (rows * columns * slices > 2500) return right.append(h("p", { class: "ff-faint" }, "the matrix is too wide to draw"));
    const stored = new Map(tree.paths.map((path, at) => {
      const place = [];
      tree.mode_order.forEach((dimension, level) => { place[dimension] = path[level]; });
      return [place.join(","), at];
    }));
    for (let slice = 0; slice < slices; slice += 1) {
      const head = h("tr", {}, h("td", { class: "ff-corner" }, slices > 1 ? `[${slice}]` : ""), ...Array.from({ length: columns }, (_, each) => h("th", { scope: "col" }, `${each}`)));
      const lines = Array.from({ length: rows }, (_, row) => h("tr", {}, h("th", { scope: "row" }, tree.shape.length === 1 ? "" : `${row}`), ...Array.from({ length: columns }, (_, column) => {
        const at = stored.get((tree.shape.length === 1 ? [column] : tree.shape.length === 2 ? [row, column] : [slice, row, column]).join(","));
        if (at === undefined) return h("td", { class: "ff-empty", "aria-label": "not stored" }, "·");
        const act = h("button", { type: "button", onclick: () => set("selected", model.get("selected") === at ? -1 : at) }, text(tree.values[at]));
        marks.push([at, act]);
        return h("td", {}, act);
      })));
      right.append(h("table", { class: "ff-matrix" }, h("thead", {}, head), h("tbody", {}, ...lines)));
    }
  }
  function mark() {
    for (const [at, element] of marks) {
      element.classList.toggle("ff-chosen", at === model.get("selected"));
      element.setAttribute("aria-pressed", at === model.get("selected"));
    }
  }
  /** Which tensor, where there are several. */
  function offer() {
    const names = model.get("choices");
    which.hidden = names.length < 2;
    const list = h("select", { class: "ff-tensor", onchange: (event) => set("name", event.target.value) }, ...names.map((name) => h("option", { value: name }, name)));
    list.value = model.get("name");
    refill(which, h("label", {}, "tensor ", list));
  }
  on("change:choices", offer);
  on("change:name", offer);
  on("change:tree", draw);
  on("change:selected", mark);
  offer();
  draw();
  return cleanup;
}
export default { render };
