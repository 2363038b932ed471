// RunView: start, progress, cancel; a live chart of bounded size; afterwards a timeline per node that zooms.
import { button, count, frame, h, refill, short, size, svg } from "./page.js";

const MOST = 1200;
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#1c2733"];
const DARK = ["#6CBCF0", "#FF9D4D", "#3DD6A5", "#E79CC4", "#e8edf2"];
const DASHES = [[], [6, 4], [2, 3], [9, 3, 2, 3], [1, 3]];

/** A share in percent; what is more than nothing is not shown as nothing. */
const percent = (share) => (share > 0 && share < 0.005 ? "< 1 %" : `${Math.round(share * 100)} %`);

/** Where a kernel stands; nothing while its first result has yet to come. */
const reached = (clock) => (clock ? `cycle ${short(clock)}, ` : "");

function render({ model, el }) {
  const { root, body, on, ask, set, cleanup, cleanups } = frame(model, el, "run", "run");
  const start = button("▶ start", "start the run", () => ask("start"), { class: "ff-button ff-start ff-go" });
  const cancel = button("■ cancel", "stop the run", () => ask("cancel"), { class: "ff-button ff-cancel" });
  const state = h("span", { class: "ff-state", role: "status" }), title = h("b", {});
  const bar = h("progress", { max: "1", "aria-label": "progress of the run" });
  const traced = h("input", { type: "checkbox", id: `ff-traced-${Math.random().toString(36).slice(2)}`, onchange: (event) => set("traced", event.target.checked) });
  const option = h("label", { for: traced.id, title: "record what every node does over time: stalls, timeline and critical path; the run takes longer" }, traced, " trace every node");
  const canvas = h("canvas", { class: "ff-live", role: "img", "aria-label": "throughput while the run goes on" });
  const numbers = h("div", { class: "ff-facts" }), words = h("div", { class: "ff-words" }), lines = h("div", { class: "ff-wide ff-timeline", tabindex: "0", role: "group", "aria-label": "timeline" });
  const range = h("div", { class: "ff-bar ff-range" });
  body.append(h("div", { class: "ff-bar" }, start, cancel, option, bar, state), title, canvas, numbers, words, range, lines);
  let points = [], each = 1, held = [], due = false, updates = 0;
  let zoom = null;

  function live() {
    const now = model.get("state"), seen = model.get("progress");
    start.disabled = now === "running";
    cancel.disabled = now !== "running";
    traced.checked = model.get("traced");
    traced.disabled = now === "running";
    bar.hidden = now !== "running";
    title.textContent = model.get("title");
    if (seen.fraction === null || seen.fraction === undefined || seen.fraction >= 1) bar.removeAttribute("value");
    else bar.value = seen.fraction;
    state.textContent = {
      idle: "not run yet", done: "done", cancelled: `cancelled after ${count(seen.tokens ?? 0)} tokens`, failed: "failed",
      running: seen.name ? `kernel ${seen.kernel + 1} of ${seen.kernels}, ${seen.name}: ${reached(seen.clock)}${short(seen.tokens)} tokens, ${seen.seconds.toFixed(1)} s` : "starting",
    }[now] ?? now;
    root.dataset.state = now;
    canvas.hidden = points.length < 2;
  }
  /** One more row. Above MOST points neighbours are averaged, so that memory stays bounded and the whole run visible. */
  function take(row) {
    held.push(row);
    if (held.length < each) return;
    points.push(row.map((_, column) => held.reduce((sum, one) => sum + one[column], 0) / held.length));
    held = [];
    if (points.length >= MOST) {
      points = Array.from({ length: points.length / 2 }, (_, at) => points[2 * at].map((value, column) => (value + points[2 * at + 1][column]) / 2));
      each *= 2;
    }
  }
  on("msg:custom", (message, buffers) => {
    if (message?.clear) { points = []; held = []; each = 1; }
    else if (message?.points) {
      const view = buffers[0];
      const data = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
      const width = model.get("chart").length + 1;
      if (message.whole) { points = []; held = []; each = 1; }
      for (let at = 0; at < data.length; at += width) take([...data.subarray(at, at + width)]);
    } else return;
    if (!due) { due = true; requestAnimationFrame(draw); }
  });
  function draw() {
    due = false;
    updates += 1;
    root.dataset.updates = updates;
    root.dataset.points = points.length;
    canvas.hidden = points.length < 2;
    const box = canvas.getBoundingClientRect();
    if (!box.width || points.length < 2) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = box.width * ratio;
    canvas.height = box.height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--soft"), left = 52, bottom = 20, top = 18;
    const names = model.get("chart"), colours = root.dataset.theme === "dark" ? DARK : COLOURS;
    const [low, high] = [points[0][0], points.at(-1)[0]];
    pen.font = "11px Helvetica, Arial, sans-serif";
    const column = Math.min(190, (box.width - left - 10) / names.length);
    names.forEach((name, at) => {
      const share = !name.startsWith("tokens");
      const most = share ? 100 : Math.max(...points.map((point) => point[at + 1])) || 1;
      const x = (value) => left + ((value - low) / (high - low || 1)) * (box.width - left - 10);
      const y = (value) => box.height - bottom - (value / most) * (box.height - bottom - top);
      if (at === 0) {
        pen.strokeStyle = ink;
        pen.fillStyle = ink;
        pen.globalAlpha = 0.5;
        pen.strokeRect(left, top, box.width - left - 10, box.height - top - bottom);
        pen.globalAlpha = 1;
        pen.textAlign = "right";
        pen.fillText(short(most), left - 4, top + 9);
        pen.fillText("0", left - 4, box.height - bottom);
        pen.textAlign = "left";
        const unit = (value) => (names.length > 1 ? `cycle ${short(value)}` : `${value.toFixed(1)} s`);
        pen.fillText(unit(low), left, box.height - 6);
        pen.textAlign = "right";
        pen.fillText(unit(high), box.width - 10, box.height - 6);
      }
      pen.strokeStyle = colours[at];
      pen.setLineDash(DASHES[at]);
      pen.lineWidth = 1.8;
      pen.beginPath();
      points.forEach((point, place) => (place ? pen.lineTo(x(point[0]), y(point[at + 1])) : pen.moveTo(x(point[0]), y(point[at + 1]))));
      pen.stroke();
      pen.setLineDash([]);
      pen.textAlign = "left";
      pen.fillStyle = colours[at];
      pen.setLineDash(DASHES[at]);
      pen.beginPath();
      pen.moveTo(left + 4 + at * column, 8);
      pen.lineTo(left + 30 + at * column, 8);
      pen.stroke();
      pen.setLineDash([]);
      pen.fillText(`${name.replaceAll("_", " ")}${share ? " %" : ` (top ${short(most)})`}`, left + 36 + at * column, 12);
    });
  }
  function results() {
    const result = model.get("result");
    const fact = (name, value, help) => h("div", { class: "ff-fact", title: help }, h("div", { class: "ff-faint" }, name), h("div", { class: "ff-value", "data-fact": name }, value));
    numbers.replaceChildren(...(result.cycles === undefined ? [] : [fact("cycles", count(result.cycles), "over all kernels"), fact("FLOPs", short(result.flops), count(result.flops)),
      fact("memory traffic", size(result.bytes), `${count(result.bytes)} bytes`), fact("simulated in", `${result.seconds.toFixed(2)} s`, "wall clock")]));
    words.replaceChildren(...model.get("words").map((line) => h("p", {}, line)));
    zoom = null;
    rows();
  }
  function rows() {
    const kernels = model.get("timeline");
    lines.replaceChildren();
    if (!kernels.length) return range.replaceChildren();
    const end = kernels.at(-1).start + kernels.at(-1).cycles;
    const [from, to] = zoom ?? [0, end];
    const place = (next) => {
      const span = Math.max(10, Math.min(end, next[1] - next[0]));
      const begin = Math.max(0, Math.min(end - span, next[0]));
      zoom = span >= end ? null : [begin, begin + span];
      rows();
    };
    const middle = (from + to) / 2, half = (to - from) / 2;
    refill(range, h("b", {}, "timeline"), button("+", "zoom in", () => place([middle - half / 2, middle + half / 2])), button("−", "zoom out", () => place([middle - half * 2, middle + half * 2])),
      button("◀", "earlier", () => place([from - half, to - half])), button("▶", "later", () => place([from + half, to + half])), button("all", "the whole run", () => place([0, end])),
      ...kernels.map((kernel) => button(kernel.name, `only kernel ${kernel.name}`, () => place([kernel.start, kernel.start + kernel.cycles]))),
      h("span", { class: "ff-faint" }, `cycles ${count(from)} to ${count(to)}: ${kernels[0].step ? "the height of a bar is the share of a step that the node is busy" : "a bar ends when the node does, and is filled as far as it was busy"}; the number is the share of its kernel's cycles`));
    const wide = 720, label = 190;
    for (const kernel of kernels) {
      if (kernel.start >= to || kernel.start + kernel.cycles <= from) continue;
      const height = kernel.nodes.length * 15 + 20;
      const element = svg("svg", { width: wide + label + 60, height, role: "img", "aria-label": `timeline of kernel ${kernel.name}` });
      const head = svg("text", { x: 0, y: 13, class: "ff-kernel" });
      head.textContent = `${kernel.name}: ${count(kernel.cycles)} cycles`;
      element.append(head);
      const x = (cycle) => label + Math.max(0, Math.min(1, (cycle - from) / (to - from))) * wide;
      kernel.nodes.forEach(([name, busy, final, shares], at) => {
        const y = 20 + at * 15;
        const part = percent(kernel.cycles ? busy / kernel.cycles : 0);
        const [x0, x1] = [x(kernel.start), x(kernel.start + final)];
        const words = svg("title");
        words.textContent = `${name}: busy ${count(busy)} of the ${count(kernel.cycles)} cycles of the kernel (${part}), at its end in cycle ${count(final)}`;
        const text = svg("text", { x: label - 6, y: y + 10, "text-anchor": "end" });
        text.textContent = name.length > 30 ? `${name.slice(0, 29)}…` : name;
        const value = svg("text", { x: x1 + 4, y: y + 10 });
        value.textContent = part;
        if (shares) {
          const step = kernel.step, high = (percent) => y + 12 - (percent / 100) * 11;
          const path = shares.map((percent, column) => {
            const [a, b] = [x(kernel.start + column * step), x(kernel.start + Math.min(kernel.cycles, (column + 1) * step))];
            return percent && b > a ? `M${a.toFixed(1)} ${y + 12}V${high(percent).toFixed(1)}H${b.toFixed(1)}V${y + 12}Z` : "";
          }).join("");
          element.append(svg("g", {}, words, text, svg("rect", { x: x0, y: y + 1, width: Math.max(0, x1 - x0), height: 11, class: "ff-span" }), svg("path", { d: path, class: "ff-filled" }), value));
          return;
        }
        element.append(svg("g", {}, words, text, svg("rect", { x: x0, y: y + 1, width: Math.max(0, x1 - x0), height: 11, class: "ff-span" }),
          svg("rect", { x: x0, y: y + 1, width: Math.max(0, x(kernel.start + busy) - x0), height: 11, class: "ff-filled" }), value));
      });
      lines.append(element);
    }
  }
  for (const each of ["state", "progress", "title"]) on(`change:${each}`, live);
  on("change:result", results);
  on("change:timeline", results);
  on("change:words", results);
  const watcher = new ResizeObserver(() => { if (!due) { due = true; requestAnimationFrame(draw); } });
  watcher.observe(canvas);
  cleanups.push(() => watcher.disconnect());
  live();
  results();
  return cleanup;
}
export default { render };
