// Summary: structure at once, exact cycles when the simulation in the background has them.
import { count, frame, h, short, size } from "./page.js";

function render({ model, el }) {
  const { root, body, on, cleanup } = frame(model, el, "summary", "what the schedule costs");
  const facts = h("div", { class: "ff-facts" });
  const exact = h("div", { class: "ff-facts ff-exact", "aria-live": "polite" });
  body.append(facts, exact);
  const fact = (name, value, help) => h("div", { class: "ff-fact", title: help }, h("div", { class: "ff-faint" }, name), h("div", { class: "ff-value", "data-fact": name }, value));
  function draw() { facts.replaceChildren(...model.get("facts").map((each) => fact(...each))); }
  function show() {
    const now = model.get("exact");
    root.dataset.exact = now.state;
    if (now.state === "done") {
      root.dataset.cycles = now.cycles;
      exact.replaceChildren(
        fact("exact cycles", count(now.cycles), `simulated on machine ${now.machine} in ${now.seconds} s`),
        fact(now.over ? `speedup over ${now.over}` : "speedup", now.speedup ? `${now.speedup.toFixed(2)}×` : "…", "cycles of the baseline over these cycles; the baseline runs when nothing else does"),
        fact("FLOPs", short(now.flops), `${count(now.flops)} floating-point operations`),
        fact("memory traffic", size(now.bytes), `${count(now.bytes)} bytes read and written`),
      );
    } else if (now.state === "running" || now.state === "waiting") {
      const bar = h("progress", { max: "1", "aria-label": "simulation" });
      if (now.fraction !== null && now.fraction !== undefined) bar.value = now.fraction;
      exact.replaceChildren(h("div", { class: "ff-fact" }, h("div", { class: "ff-faint" }, "exact cycles"),
        h("div", {}, bar, now.kernel ? ` ${now.kernel}, cycle ${short(now.clock)}` : " waiting for the simulator")));
    } else if (now.state === "failed") exact.replaceChildren(h("div", { class: "ff-error" }, now.words));
    else exact.replaceChildren();
  }
  on("change:facts", draw);
  on("change:exact", show);
  draw();
  show();
  return cleanup;
}
export default { render };
