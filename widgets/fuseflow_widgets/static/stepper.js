// StreamStepper: the whole history is in the page, so it plays without asking the kernel; `cycle` is shared with it.
import { button, frame, h, press, svg } from "./page.js";
import { picture } from "./pane.js";

const SHOWN = 6, WIDEST = 30;

/** Tokens of a queue as far as there is room, and how many more there are. */
function queued(tokens) {
  const shown = [];
  while (shown.length < Math.min(SHOWN, tokens.length) && (!shown.length || [...shown, tokens[shown.length]].join(" ").length <= WIDEST))
    shown.push(tokens[shown.length]);
  return tokens.length > shown.length ? [...shown, `+${tokens.length - shown.length}`] : shown;
}

/** Where on its wire a label of tokens may stand, the best first. */
const PARTS = [0.62, 0.3, 0.85, 0.45, 0.15, 0.74];
const HIGH = 13, LEGIBLE_SCALE = 0.75, LARGEST = 1.8;

/** The box of a label beside one of `points`, in the middle of it or on one side, that covers the least of `boxes`. */
function settle(points, width, height, boxes) {
  let best = null, least = Infinity;
  for (const shift of [0, -0.5, 0.5])
    for (const { x, y } of points) {
      const box = { x: x + shift * width, y, width, height };
      const covered = boxes.reduce((sum, each) => sum
        + Math.max(0, (box.width + each.width) / 2 + 1 - Math.abs(box.x - each.x)) * Math.max(0, (box.height + each.height) / 2 + 1 - Math.abs(box.y - each.y)), 0);
      if (covered < least) [best, least] = [box, covered];
      if (!covered) return best;
    }
  return best;
}

function render({ model, el }) {
  const { root, body, on, set, cleanup, cleanups } = frame(model, el, "stepper", "stream stepper");
  let enlarged = 1, places = [];
  const view = picture({ label: "dataflow graph with the tokens in its queues", height: model.get("height"), rescaled: (scale) => {
    // Tokens are what is to be seen: they stay legible where all of a graph is in view.
    const wanted = Math.min(LARGEST, Math.max(1, LEGIBLE_SCALE / scale));
    if (wanted !== enlarged) { enlarged = wanted; show(); }
  } });
  cleanups.push(view.stop);
  let timer = null, watch = null, focus = null;
  // Every view of this widget follows `cycle`; only the one that `player` names moves it on, or two would play at double speed.
  const mine = `view-${Math.random().toString(36).slice(2)}`;
  const play = button("▶ play", "play or stop (P)", () => toggle(), { class: "ff-button ff-play" });
  const back = button("◀ back", "to the cycle before (arrow left)", () => move(-1), { class: "ff-button ff-back" });
  const step = button("step ▶", "to the next cycle in which anything happens (arrow right)", () => move(1), { class: "ff-button ff-step" });
  const first = button("|◀", "to cycle 0 (Home)", () => set("cycle", 0));
  const end = button("▶|", "to the end (End)", () => set("cycle", model.get("history").cycles));
  const jump = h("input", { type: "number", min: "0", class: "ff-jump-to", "aria-label": "jump to cycle", onchange: () => leap(),
    onkeydown: (event) => { if (event.key === "Enter") leap(); } });
  const slider = h("input", { type: "range", min: "0", class: "ff-slider", "aria-label": "cycle", oninput: (event) => go(Number(event.target.value)) });
  const total = h("span", { class: "ff-faint" });
  const speed = h("select", { "aria-label": "steps per second", onchange: (event) => set("speed", Number(event.target.value)) },
    ...[1, 2, 4, 10, 30].map((each) => h("option", { value: each }, `${each} steps/s`)));
  const says = h("div", { class: "ff-says", "aria-live": "off" });
  const legend = h("div", { class: "ff-legend" },
    h("span", {}, h("b", { class: "ff-token" }, "1 S0"), "tokens that wait in a queue, the first in front"),
    h("span", {}, h("b", { class: "ff-token ff-moves" }, "3 → 1"), "3 is taken in this cycle, 1 waits"));
  body.append(
    h("div", { class: "ff-bar", role: "toolbar", "aria-label": "time" }, first, back, play, step, end, h("label", {}, "cycle ", jump), total, slider, speed, view.controls),
    h("div", { class: "ff-split" }, h("div", { class: "ff-main" }, view.pane, legend), h("div", { class: "ff-side", style: `max-height:${model.get("height") + 28}px` }, says)),
  );
  function go(cycle) {
    const { cycles } = model.get("history");
    set("cycle", Math.max(0, Math.min(cycles, Math.round(cycle) || 0)));
  }
  /** Where the field says, as far as there is such a cycle; then the field says what was reached. Empty, it asks for nothing. */
  function leap() {
    if (jump.value.trim() !== "") go(Number(jump.value));
    jump.value = model.get("cycle");
  }
  function move(by) {
    const { moments } = model.get("history");
    const now = model.get("cycle");
    const next = by > 0 ? moments.find((each) => each > now) : moments.findLast((each) => each < now);
    if (next === undefined) return lead(false);
    set("cycle", next);
  }
  function lead(playing) {
    // A free player while it plays is an offer to every view: it is named before the start and freed after the end.
    if (playing) model.set("player", mine);
    set("playing", playing);
    if (!playing) set("player", "");
  }
  function toggle() {
    lead(!model.get("playing"));
  }
  function tick() {
    clearInterval(timer);
    const on = model.get("playing");
    play.textContent = on ? "⏸ stop" : "▶ play";
    play.setAttribute("aria-pressed", on);
    if (on && !model.get("player")) return set("player", mine);  // which calls this again
    if (on && model.get("player") === mine) timer = setInterval(() => move(1), 1000 / model.get("speed"));
    root.dataset.player = model.get("player");
    guard();
  }
  /** A page that was closed while it played can tell nobody: where nothing moves for some steps, this view plays on. */
  function guard() {
    clearTimeout(watch);
    if (!model.get("playing") || model.get("player") === mine) return;
    const patience = 1500 + 3000 / model.get("speed") + 500 * Math.random();
    watch = setTimeout(() => { if (model.get("playing")) set("player", mine); }, patience);
  }
  function draw() {
    places = [];
    view.show(model.get("svg"));
    const element = view.holder.querySelector("svg");
    if (!element) {
      focus = null;
      total.textContent = "";
      return show();
    }
    const layer = svg("g", { class: "ff-queues" });
    element.querySelector("g.graph").append(layer);
    for (const wire of model.get("history").wires) {
      const edge = element.querySelector(`#${CSS.escape(wire.edge)}`);
      const path = edge?.querySelector("path");
      if (!path) continue;
      const points = PARTS.map((part) => path.getPointAtLength(path.getTotalLength() * part));
      const group = svg("g", { class: "ff-queue" });
      const box = svg("rect", { rx: 3, height: HIGH, y: -HIGH / 2 });
      const text = svg("text", { y: 3, "text-anchor": "middle" });
      group.append(box, text);
      layer.append(group);
      places.push({ wire, group, box, text, points });
    }
    const { rules } = model.get("history");
    for (const node of view.holder.querySelectorAll("g.block")) {
      const name = node.id.replace(/^node-/, "");
      press(node, `${name}, ${rules[name]}`, () => { focus = focus === name ? null : name; show(); });
    }
    const { cycles } = model.get("history");
    slider.max = jump.max = cycles;
    total.textContent = `of ${cycles}`;
    show();
  }
  function show() {
    const { says: words, rules } = model.get("history");
    if (!words) return;
    const cycle = model.get("cycle");
    slider.value = cycle;
    if (document.activeElement !== jump) jump.value = cycle;
    const boxes = [];
    for (const { wire, group, box, text, points } of places) {
      const waiting = wire.passages.filter(([, seen, taken]) => seen <= cycle && (taken < 0 || taken > cycle)).map(([token]) => token);
      const taken = wire.passages.filter(([, , when]) => when === cycle).map(([token]) => token);
      group.classList.toggle("ff-moves", taken.length > 0);
      const label = [...(taken.length ? [`${taken.join(" ")} →`] : []), ...queued(waiting)].join(" ");
      group.style.display = label ? "" : "none";
      text.textContent = label;
      const width = label.length * 5.6 + 8;
      box.setAttribute("x", -width / 2);
      box.setAttribute("width", width);
      if (!label) continue;
      const at = settle(points, width * enlarged, HIGH * enlarged, boxes);
      boxes.push(at);
      group.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)}) scale(${enlarged.toFixed(2)})`);
    }
    const lines = [];
    for (const node of view.holder.querySelectorAll("g.block")) {
      const name = node.id.replace(/^node-/, "");
      const now = words[name]?.find(([when]) => when === cycle);
      node.classList.toggle("ff-active", !!now);
      node.classList.toggle("ff-chosen", name === focus);
      if (now && (!focus || name === focus)) lines.push(h("li", {}, h("b", {}, name), ` ${now[1]}`, h("div", { class: "ff-faint" }, rules[name])));
    }
    if (focus && !lines.length) lines.push(h("li", {}, h("b", {}, focus), " does nothing in this cycle", h("div", { class: "ff-faint" }, rules[focus])));
    says.replaceChildren(
      h("h4", {}, `cycle ${cycle}`),
      focus ? h("button", { type: "button", class: "ff-button", onclick: () => { focus = null; show(); view.pane.focus({ preventScroll: true }); } }, `only ${focus} · show all`) : h("p", { class: "ff-faint" }, `${lines.length} blocks act. Click a block to follow only it.`),
      h("ul", { class: "ff-turns" }, ...lines));
    root.dataset.cycle = cycle;
  }
  root.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select")) return;
    const action = { ArrowRight: () => move(1), ArrowLeft: () => move(-1), Home: () => set("cycle", 0), End: () => go(Infinity), p: toggle }[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }, true);
  on("change:version", draw);
  on("change:cycle", () => { show(); guard(); });
  on("change:playing", tick);
  on("change:player", tick);
  on("change:speed", () => { speed.value = model.get("speed"); tick(); });
  // After the listeners above are gone: another view takes over.
  cleanups.push(() => {
    clearInterval(timer);
    clearTimeout(watch);
    if (model.get("player") === mine) set("player", "");
  });
  speed.value = model.get("speed");
  draw();
  tick();
  return cleanup;
}
export default { render };
