// FusionTableView: index variables by tensors; a cell that became nodes is a button that selects them.
import { frame, h } from "./page.js";

function render({ model, el }) {
  const { body, on, set, cleanup } = frame(model, el, "table", "fusion table");
  const grid = h("div", { class: "ff-wide" });
  body.append(grid);
  let cells = [];
  function draw() {
    const { columns, rows, title } = model.get("table");
    cells = [];
    const head = h("tr", {}, h("td", { class: "ff-corner" }, "index"), ...columns.map((name) => h("th", { scope: "col" }, name)));
    const lines = rows.map(({ name, cells: line }) => h("tr", {}, h("th", { scope: "row" }, name), ...line.map((cell, at) => {
      if (!cell.nodes.length) return h("td", { class: "ff-reference", title: "refers to another cell" }, cell.label);
      const act = h("button", { type: "button", title: `node${cell.nodes.length > 1 ? "s" : ""} ${cell.nodes.join(", ")}`,
        onclick: () => set("selected", cell.nodes), "aria-label": `${name}, ${columns[at]}: ${cell.label}` }, cell.label);
      cells.push([act, cell.nodes]);
      return h("td", {}, act);
    })));
    const scroll = grid.scrollLeft;
    grid.replaceChildren(h("table", { class: "ff-fusion" }, h("caption", {}, title), h("thead", {}, head), h("tbody", {}, ...lines)));
    grid.scrollLeft = scroll;
    mark(false);
  }
  function mark(move = true) {
    const chosen = new Set(model.get("selected"));
    let first = null;
    for (const [act, nodes] of cells) {
      const hit = nodes.some((name) => chosen.has(name));
      act.classList.toggle("ff-chosen", hit);
      act.setAttribute("aria-pressed", hit);
      if (hit && !first) first = act;
    }
    if (move && first) {
      const box = grid.getBoundingClientRect(), at = first.getBoundingClientRect();
      if (at.left < box.left + 80 || at.right > box.right) grid.scrollLeft += at.left - box.left - box.width / 2;
    }
  }
  grid.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    let [row, at] = [cell.parentElement, cell.cellIndex];
    for (;;) {
      if (step[0]) row = step[0] > 0 ? row.nextElementSibling : row.previousElementSibling;
      at += step[1];
      const next = row?.cells[at];
      if (!next) break;
      const act = next.querySelector("button");
      if (act) { act.focus(); break; }
    }
    event.preventDefault();
    event.stopPropagation();
  });
  on("change:table", draw);
  on("change:selected", () => mark());
  draw();
  return cleanup;
}
export default { render };
