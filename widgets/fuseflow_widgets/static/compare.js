// CompareView: charts drawn by Altair in the kernel; a click on a mark or a row chooses its schedule everywhere.
import { button, count, frame, h, press, refill, short, size } from "./page.js";

const TITLES = { speedups: "speedup", work: "work and traffic", kernels: "kernels", nodes: "nodes" };

function render({ model, el }) {
  const { root, body, on, ask, set, cleanup } = frame(model, el, "compare", "comparison of schedules");
  const add = button("add the current schedule", "compare what is picked above with the others", () => ask("add"), { class: "ff-button ff-add" });
  const tabs = h("span", { role: "tablist", "aria-label": "charts", class: "ff-presets" });
  const table = h("div", { class: "ff-wide" }), chart = h("div", { class: "ff-chart ff-wide" }), busy = h("span", { class: "ff-faint", role: "status" });
  body.append(h("div", { class: "ff-bar" }, add, tabs, busy), table, chart);
  let shown = "speedups";
  function rows() {
    const all = model.get("rows");
    const chosen = model.get("chosen");
    add.hidden = !model.get("can_add");
    busy.textContent = model.get("busy") ? "drawing the charts…" : "";
    if (!all.length) return table.replaceChildren(h("p", { class: "ff-faint" }, "Nothing to compare yet. Pick a schedule, wait for its cycles, then add it here; edit it and add it again."));
    const head = ["schedule", "kernels", "nodes", "cycles", `speedup over ${all[0].baseline}`, "FLOPs", "traffic", "error", ""];
    refill(table, h("table", { class: "ff-results" },
      h("thead", {}, h("tr", {}, ...head.map((each) => h("th", { scope: "col" }, each)))),
      h("tbody", {}, ...all.map((row) => h("tr", { class: row.schedule === chosen ? "ff-chosen" : "" },
        h("th", { scope: "row" }, h("button", { type: "button", class: "ff-jump", "aria-pressed": row.schedule === chosen, onclick: () => set("chosen", row.schedule) }, row.schedule)),
        ...[count(row.kernels), count(row.nodes), count(row.cycles), `${row.speedup.toFixed(2)}×`, short(row.flops), size(row.bytes), row.error.toExponential(1)].map((each) => h("td", {}, each)),
        h("td", {}, h("button", { type: "button", class: "ff-close", title: `remove ${row.schedule}`, "aria-label": `remove ${row.schedule}`, onclick: () => ask("remove", { name: row.schedule }) }, "×")))))));
  }
  function draw() {
    const charts = model.get("charts");
    refill(tabs, ...Object.keys(charts).map((name) => h("button", { type: "button", class: "ff-button", role: "tab", "aria-selected": name === shown, "aria-pressed": name === shown,
      onclick: () => { shown = name; draw(); } }, TITLES[name] ?? name)));
    const focused = chart.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    chart.innerHTML = charts[shown] ?? "";
    const names = model.get("rows").map((row) => row.schedule);
    for (const markers of chart.querySelectorAll("[aria-label]")) {
      const words = markers.getAttribute("aria-label");
      const name = names.find((each) => words.includes(`schedule: ${each};`) || words.endsWith(`schedule: ${each}`));
      if (!name || markers.tagName !== "path") continue;
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = words.replaceAll("; ", "\n");
      markers.append(title);
      markers.dataset.schedule = name;
      press(markers, words, () => { set("chosen", name); markers.focus({ preventScroll: true }); });
    }
    if (focused) (chart.querySelector(`[data-schedule][aria-label="${CSS.escape(focused)}"]`) ?? tabs.querySelector("[aria-pressed=true]"))?.focus({ preventScroll: true });
    mark();
    root.dataset.charts = Object.keys(charts).length;
  }
  function mark() {
    const chosen = model.get("chosen");
    for (const each of chart.querySelectorAll("[data-schedule]")) each.classList.toggle("ff-dim", !!chosen && each.dataset.schedule !== chosen);
  }
  on("change:rows", rows);
  on("change:busy", rows);
  on("change:chosen", () => { rows(); mark(); });
  on("change:charts", draw);
  rows();
  draw();
  return cleanup;
}
export default { render };
