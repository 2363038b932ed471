// FusionPicker: the einsum graph with its regions. What is legal is decided in the kernel; this page draws and asks.
import { button, frame, h, press, reachable, timed } from "./page.js";
import { picture } from "./pane.js";

function render({ model, el }) {
  const { root, body, on, follow, ask, set, cleanup, cleanups } = frame(model, el, "picker", "fusion picker");
  let selected = new Set();
  const lasso = (box) => {
    for (const node of view.holder.querySelectorAll("g.statement")) {
      const at = node.getBoundingClientRect();
      const [cx, cy] = [(at.left + at.right) / 2, (at.top + at.bottom) / 2];
      if (cx >= box.left && cx <= box.right && cy >= box.top && cy <= box.bottom) selected.add(nameOf(node));
    }
    select();
  };
  const view = picture({ label: "einsum graph. Click an edge to cut or merge; drag over statements to select them", lasso, height: model.get("height") });
  cleanups.push(view.stop);
  const nameOf = (node) => node.id.replace(/^stmt-/, "");
  const undo = button("↶ undo", "undo (Ctrl+Z)", () => ask("undo"), { class: "ff-button ff-undo" });
  const redo = button("↷ redo", "redo (Ctrl+Shift+Z)", () => ask("redo"), { class: "ff-button ff-redo" });
  const fuse = button("fuse selection", "make the selected statements one region (F)", () => group(), { class: "ff-button ff-fuse" });
  const clear = button("clear", "select nothing (Escape)", () => { selected.clear(); select(); });
  const presets = h("span", { class: "ff-presets", role: "group", "aria-label": "presets" });
  const copy = button("copy as code", "copy the Python of this schedule", () => showCode(), { class: "ff-button ff-copy" });
  const reached = h("span", { class: "ff-faint ff-reached", role: "status" });
  const code = h("textarea", { class: "ff-code", readonly: true, "aria-label": "Python of the schedule", rows: 6, spellcheck: "false" });
  const box = h("div", { class: "ff-code-box", hidden: true },
    h("div", { class: "ff-bar" }, h("b", {}, "Python of this schedule"), reached, button("× close", "close the code (Escape)", () => hideCode(), { class: "ff-button ff-code-close" })), code);
  const regions = h("div", { class: "ff-regions" });
  const blocks = h("select", { class: "ff-blocks", "aria-label": "blocks", onchange: (event) => ask("blocks", { value: event.target.value }) });
  const legend = h("div", { class: "ff-legend" },
    h("span", {}, h("i", { class: "ff-line ff-solid" }), "streams inside a region: click to cut"),
    h("span", {}, h("i", { class: "ff-line ff-dashed" }), "stored between regions: click to merge"));
  body.append(
    h("div", { class: "ff-bar", role: "toolbar", "aria-label": "schedule" }, presets, undo, redo, fuse, clear, h("label", {}, "blocks ", blocks), copy, view.controls),
    h("div", { class: "ff-split" }, h("div", { class: "ff-main" }, view.pane, legend), h("div", { class: "ff-side", style: `max-height:${model.get("height") + 28}px` }, regions)),
    box,
  );

  function select() {
    for (const node of view.holder.querySelectorAll("g.statement")) {
      const chosen = selected.has(nameOf(node));
      node.classList.toggle("ff-chosen", chosen);
      node.setAttribute("aria-pressed", chosen);
    }
    fuse.disabled = clear.disabled = selected.size === 0;
    fuse.textContent = selected.size ? `fuse ${selected.size} selected` : "fuse selection";
  }
  function group() {
    ask("group", { statements: [...selected] });
    selected.clear();
    select();
  }
  async function showCode() {
    fillCode();
    box.hidden = false;
    code.focus();
    code.select();
    try {
      await navigator.clipboard.writeText(code.value);
      reached.textContent = "copied to the clipboard";
    } catch {
      reached.textContent = "the clipboard cannot be reached from this page: press Ctrl+C (⌘C), the text is selected";
    }
  }
  function fillCode() {
    code.value = model.get("code");
    code.rows = Math.min(14, code.value.split("\n").length);
    reached.textContent = "";
  }
  function hideCode() {
    box.hidden = true;
    copy.focus();
  }
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hideCode();
    event.stopPropagation();
  });

  function draw() {
    const focused = root.contains(document.activeElement) ? document.activeElement.id : "";
    const begun = performance.now();
    view.show(model.get("svg"), true, (picture) => {
      for (const node of picture.querySelectorAll("g.statement"))
        press(node, `statement ${nameOf(node)}; press Enter to select`, () => {
          if (!selected.delete(nameOf(node))) selected.add(nameOf(node));
          select();
        });
      for (const edge of picture.querySelectorAll("g.flow")) {
        const [source, target] = edge.id.replace(/^flow-/, "").split("->");
        const words = edge.querySelector("title")?.textContent ?? `${source} to ${target}`;
        reachable(edge, words, () => ask("toggle", { source, target }));
      }
      turn(picture);
    });
    select();
    if (focused && !root.contains(document.activeElement)) view.holder.querySelector(`#${CSS.escape(focused)}`)?.focus();
    timed(root, begun);
    root.dataset.version = model.get("version");
  }
  /** Mark the region that the other views show. */
  function turn(picture) {
    for (const region of picture.querySelectorAll("g.region"))
      region.classList.toggle("ff-current", region.id.replace(/^region-/, "") === model.get("current"));
  }
  function controls() {
    undo.disabled = !model.get("can_undo");
    redo.disabled = !model.get("can_redo");
    presets.replaceChildren(...model.get("presets").map((name) =>
      button(name, `preset: ${name}`, () => ask("preset", { name }), { "aria-pressed": name === model.get("name"), class: "ff-button ff-preset" })));
    if (!box.hidden && code.value !== model.get("code")) fillCode();
    const tiles = model.get("tiles");
    blocks.replaceChildren(...tiles.choices.map((choice) => h("option", { value: choice }, choice)));
    blocks.value = tiles.value;
    blocks.title = tiles.help;
    const open = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    regions.replaceChildren(...model.get("regions").map(card));
    if (open) regions.querySelector(`[data-key="${CSS.escape(open)}"]`)?.focus();
  }
  function card(region) {
    const current = region.name === model.get("current");
    const orders = h("select", { "data-key": `order ${region.name}`, "aria-label": `dataflow order of ${region.name}`, onchange: (event) =>
      ask("order", { region: region.name, order: event.target.value }) },
      ...region.orders.map((order) => h("option", { value: order, selected: order === region.order }, order)));
    orders.value = region.order;
    const more = region.more ? h("span", { class: "ff-faint" }, "the first of many; any legal order can be typed in code") : null;
    return h("section", { class: `ff-card${current ? " ff-current" : ""}` },
      h("button", { type: "button", class: "ff-name", "data-key": `name ${region.name}`, "aria-pressed": current, title: "show this region's graph and table",
        onclick: () => set("current", region.name) }, region.name),
      h("span", { class: "ff-faint" }, `${region.statements} statement${region.statements === 1 ? "" : "s"}, ${region.nodes} nodes`),
      h("label", {}, "order ", orders), more,
      ...region.knobs.map((knob) => control(region, knob)),
      ...region.recomputed.map((text) => h("div", { class: "ff-again" }, `↻ ${text}`)));
  }
  function control(region, knob) {
    const key = `${knob.key} ${region.name}`;
    const change = (event) => ask("knob", { region: region.name, key: knob.key, value: event.target.value });
    const field = h("select", { "data-key": key, "aria-label": `${knob.label} of ${region.name}`, onchange: change },
      ...knob.choices.map((choice) => h("option", { value: choice }, choice)));
    field.value = knob.value;
    return h("label", { title: knob.help }, `${knob.label} `, field);
  }
  root.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea")) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && key === "z") ask(event.shiftKey ? "redo" : "undo");
    else if ((event.ctrlKey || event.metaKey) && key === "y") ask("redo");
    else if (key === "f" && !event.ctrlKey && !event.metaKey && selected.size) group();
    else if (key === "escape") { selected.clear(); select(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const all = () => { draw(); controls(); };
  // What was refused is not in the schedule: a list that still shows it would say that it is.
  on("msg:custom", (message) => { if (message && "refused" in message) controls(); });
  follow({ current: () => { turn(view.holder); controls(); } }, all);
  all();
  return cleanup;
}
export default { render };
