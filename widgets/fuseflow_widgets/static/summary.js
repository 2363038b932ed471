// Summary: structure and estimate at once, exact cycles when the simulation in the background has them.
import { count, frame, h, short, size } from "./page.js";

function render({ model, el }) {
  const { root, body, on, cleanup } = frame(model, el, "summary", "what the schedule costs");
  const facts = h("div", { class: "ff-facts" });
  const exact = h("div", { class: "ff-facts ff-exact", "aria-live": "polite" });
  const estimate = h("div", { class: "ff-facts ff-estimate", "aria-live": "polite" });
  body.append(facts, estimate, exact);
  const fact = (name, value, help) => h("div", { class: "ff-fact", title: help }, h("div", { class: "ff-faint" }, name), h("div", { class: "ff-value", "data-fact": name }, value));
  function draw() { facts.replaceChildren(...model.get("facts").map((each) => fact(...each))); }
  function guess() {
    const now = model.get("estimate");
    root.dataset.estimate = now.state;
    const row = (cycles, flops, bytes, limit, took, why) => estimate.replaceChildren(
      fact("estimated cycles", cycles, took),
      fact("estimated FLOPs", flops, `estimate: ${count(now.flops)} floating-point operations`),
      fact("estimated memory traffic", bytes, `estimate: ${count(now.bytes)} bytes read and written`),
      fact("limited by (estimate)", limit, why),
    );
    if (now.state === "done") {
      root.dataset.estimated = now.cycles;
      row(`≈ ${count(now.cycles)}`, `≈ ${short(now.flops)}`, `≈ ${size(now.bytes)}`, now.limit,
        `estimated from the stored coordinates in ${now.milliseconds} ms, without simulation`, now.why);
    } else if (now.state === "waiting") row("…", "…", "…", "…", "being estimated", "being estimated");
    else if (now.state === "failed") estimate.replaceChildren(h("div", { class: "ff-faint" }, `no estimate: ${now.words}`));
    else estimate.replaceChildren();
  }
  function show() {
    const now = model.get("exact");
    root.dataset.exact = now.state;
    if (now.state === "done") {
      root.dataset.cycles = now.cycles;
      exact.replaceChildren(
        fact("exact cycles", count(now.cycles), `simulated on machine ${now.machine} in ${now.seconds} s`),
        fact(now.over ? `speedup over ${now.over}` : "speedup", now.speedup ? `${now.speedup.toFixed(2)}×` : "…", "cycles of the baseline over these cycles; the baseline runs when nothing else does"),
        fact("estimate over exact", now.ratio === null ? "–" : now.ratio.toFixed(3), "estimated cycles over exact cycles; 1 is a perfect estimate"),
        fact("FLOPs", short(now.flops), `${count(now.flops)} floating-point operations`),
        fact("memory traffic", size(now.bytes), `${count(now.bytes)} bytes read and written`),
      );
    } else if (now.state === "running" || now.state === "waiting") {
      const bar = h("progress", { max: "1", "aria-label": "simulation" });
      // All operands are read, but how much is left to compute is not known: a bar that is full would say that nothing is.
      if (now.fraction !== null && now.fraction !== undefined && now.fraction < 1) bar.value = now.fraction;
      exact.replaceChildren(h("div", { class: "ff-fact" }, h("div", { class: "ff-faint" }, "exact cycles"),
        h("div", {}, bar, now.kernel ? ` ${now.kernel}${now.clock ? `, cycle ${short(now.clock)}` : ""}` : " waiting for the simulator")));
    } else if (now.state === "failed") exact.replaceChildren(h("div", { class: "ff-error" }, now.words));
    else exact.replaceChildren();
  }
  const counted = () => { root.dataset.version = model.get("version"); };
  on("change:facts", draw);
  on("change:version", counted);
  counted();
  on("change:estimate", guess);
  on("change:exact", show);
  draw();
  guess();
  show();
  return cleanup;
}
export default { render };
