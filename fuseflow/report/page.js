// Zooming and dragging of graphs, and from a cell of a fusion table to its node. The page is complete without it.
document.documentElement.classList.add("scripted");

for (const panel of document.querySelectorAll(".graph")) {
  const svg = panel.querySelector("svg");
  if (!svg) continue;
  const size = [svg.viewBox.baseVal.width * 4 / 3, svg.viewBox.baseVal.height * 4 / 3]; // points to pixels
  let scale = 1;
  let arrived = false;
  const show = (wanted, x = panel.clientWidth / 2, y = panel.clientHeight / 2) => {
    const next = Math.min(6, Math.max(0.03, wanted));
    const left = (panel.scrollLeft + x) * next / scale - x;
    const top = (panel.scrollTop + y) * next / scale - y;
    scale = next;
    svg.setAttribute("width", size[0] * scale);
    svg.setAttribute("height", size[1] * scale);
    panel.scrollTo(left, top);
  };
  const actions = {
    out: () => show(scale / 1.3),
    in: () => show(scale * 1.3),
    fit: () => show(Math.min(1, panel.clientWidth / size[0])),
    full: () => show(1),
  };
  const arrive = () => {
    if (arrived || !panel.clientWidth) return; // a closed panel has no width yet
    arrived = true;
    show(Math.max(0.5, Math.min(1, panel.clientWidth / size[0])));
    panel.scrollTo((size[0] * scale - panel.clientWidth) / 2, 0);
  };
  panel.closest("details").addEventListener("toggle", arrive);
  arrive();
  panel.previousElementSibling.addEventListener("click", (event) => actions[event.target.dataset.zoom]?.());
  panel.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // a plain wheel scrolls
    event.preventDefault();
    const box = panel.getBoundingClientRect();
    show(scale * Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  panel.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType !== "mouse") return;
    panel.setPointerCapture(event.pointerId);
    panel.classList.add("held");
  });
  panel.addEventListener("pointermove", (event) => {
    if (panel.classList.contains("held")) panel.scrollBy(-event.movementX, -event.movementY);
  });
  for (const end of ["pointerup", "pointercancel"]) panel.addEventListener(end, () => panel.classList.remove("held"));
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-nodes]");
  const nodes = cell ? cell.dataset.nodes.split(" ").map((id) => document.getElementById(id)).filter(Boolean) : [];
  if (!nodes.length) return;
  document.querySelectorAll(".hit").forEach((old) => old.classList.remove("hit"));
  nodes.forEach((node) => node.classList.add("hit"));
  nodes[0].closest("details").open = true;
  nodes[0].scrollIntoView({ block: "center", inline: "center" });
});
