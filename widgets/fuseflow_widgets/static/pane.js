// A pane that shows one drawing of Graphviz: zoom, pan and selection, and where its shapes are.
import { button, h } from "./page.js";

/** Scale below which labels cannot be read. */
export const LEGIBLE = 0.7;

/**
 * A pane that shows one SVG: zoom with Ctrl + wheel, the buttons or + and -, pan by dragging or with the arrow keys.
 * A plain wheel scrolls the notebook. `lasso`, if given, gets the rectangle of a drag instead of a pan, and `rescaled`
 * the scale whenever that changes.
 */
export function picture({ label, lasso = null, height = 360, rescaled = null }) {
  const holder = h("div", { class: "ff-holder" });
  const marquee = h("div", { class: "ff-marquee", hidden: true });
  const pane = h("div", { class: "ff-pane", tabindex: "0", role: "group", "aria-label": label, style: `height:${height}px` }, holder, marquee);
  let scale = 1, x = 0, y = 0, fitted = true, drag = null, moved = false, size = { width: 1, height: 1 };
  let told = 0;
  const place = () => {
    holder.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    if (rescaled && scale !== told) rescaled((told = scale));
  };
  const zoom = (factor, at = null) => {
    const box = pane.getBoundingClientRect();
    const [px, py] = at ?? [box.width / 2, box.height / 2];
    const next = Math.min(8, Math.max(0.02, scale * factor));
    x = px - ((px - x) * next) / scale;
    y = py - ((py - y) * next) / scale;
    scale = next;
    fitted = false;
    place();
  };
  // What the observer said last: asking the page in the middle of a drawing would lay all of it out.
  let box = { width: 0, height: 0 };
  const fit = () => {
    if (!box.width || !size.width) return;
    fitted = true;
    scale = Math.min((box.width - 12) / size.width, (box.height - 12) / size.height, 1.3);
    x = (box.width - size.width * scale) / 2;
    y = Math.max(4, (box.height - size.height * scale) / 2);
    place();
  };
  /** All of it where that is legible, else the top of it. */
  const start = () => {
    fit();
    if (!box.width || scale >= LEGIBLE) return;
    scale = LEGIBLE;
    x = Math.max(8, (box.width - size.width * scale) / 2);
    y = 6;
    place();
  };
  /** Put an SVG there; `prepare` gets it before it is in the page, where changes are cheap. */
  const show = (text, keep = false, prepare = null) => {
    const made = document.createElement("div");
    made.innerHTML = text;
    const element = made.querySelector("svg");
    if (!element) {
      holder.replaceChildren();
      return null;
    }
    const [, , width, height] = element.getAttribute("viewBox").split(" ").map(Number);
    size = { width: (width * 4) / 3, height: (height * 4) / 3 };
    element.setAttribute("width", size.width);
    element.setAttribute("height", size.height);
    prepare?.(element);
    holder.replaceChildren(element);
    if (!keep || fitted) start();
    return element;
  };
  const centre = (element) => {
    const box = pane.getBoundingClientRect();
    const target = element.getBoundingClientRect();
    if (target.left >= box.left + 20 && target.right <= box.right - 20 && target.top >= box.top + 20 && target.bottom <= box.bottom - 20) return;
    x += box.left + box.width / 2 - (target.left + target.width / 2);
    y += box.top + box.height / 2 - (target.top + target.height / 2);
    fitted = false;
    place();
  };
  pane.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, [event.clientX - box.left, event.clientY - box.top]);
  }, { passive: false });
  pane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { left: event.clientX, top: event.clientY, x, y, lasso: lasso && !event.altKey };
    moved = false;
  });
  const move = (event) => {
    if (!drag) return;
    const [dx, dy] = [event.clientX - drag.left, event.clientY - drag.top];
    if (!moved && Math.hypot(dx, dy) < 5) return;
    if (!moved) pane.setPointerCapture?.(event.pointerId);
    moved = true;
    if (drag.lasso) {
      const box = pane.getBoundingClientRect();
      marquee.hidden = false;
      marquee.style.left = `${Math.min(event.clientX, drag.left) - box.left}px`;
      marquee.style.top = `${Math.min(event.clientY, drag.top) - box.top}px`;
      marquee.style.width = `${Math.abs(dx)}px`;
      marquee.style.height = `${Math.abs(dy)}px`;
    } else {
      x = drag.x + dx;
      y = drag.y + dy;
      fitted = false;
      place();
    }
  };
  const drop = (event) => {
    if (drag && moved && drag.lasso) {
      lasso({
        left: Math.min(event.clientX, drag.left), right: Math.max(event.clientX, drag.left),
        top: Math.min(event.clientY, drag.top), bottom: Math.max(event.clientY, drag.top),
      });
    }
    drag = null;
    marquee.hidden = true;
  };
  pane.addEventListener("pointermove", move);
  pane.addEventListener("pointerup", drop);
  pane.addEventListener("pointercancel", () => { drag = null; marquee.hidden = true; });
  // The click at the end of a drag is not meant for what lies below it.
  pane.addEventListener("click", (event) => { if (moved) { event.stopPropagation(); moved = false; } }, true);
  pane.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
    if (step && event.target === pane) { x += step[0]; y += step[1]; fitted = false; place(); }
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") { fit(); fitted = false; }
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // What gets the focus by a key is brought into view by moving the picture: the browser would scroll the pane, and nothing scrolls it back.
  pane.addEventListener("focusin", (event) => {
    if (event.target === pane || !event.target.matches(":focus-visible")) return;
    requestAnimationFrame(() => {
      pane.scrollTo(0, 0);
      if (event.target.isConnected) centre(event.target);
    });
  });
  const watcher = new ResizeObserver(() => {
    box = { width: pane.clientWidth, height: pane.clientHeight };
    if (fitted) start();
  });
  watcher.observe(pane);
  const controls = h("span", { class: "ff-zoom" },
    button("+", "zoom in (+)", () => zoom(1.25)),
    button("−", "zoom out (-)", () => zoom(0.8)),
    button("fit", "all of it (0)", () => { fit(); fitted = false; }));
  return { pane, holder, controls, show, fit, centre, zoom, stop: () => watcher.disconnect() };
}

/** Left, right, top and bottom of a shape that Graphviz drew, from its own numbers: asking the page would cost a layout. */
export function extent(shape) {
  if (shape.tagName === "ellipse") {
    const [cx, cy, rx, ry] = ["cx", "cy", "rx", "ry"].map((name) => Number(shape.getAttribute(name)));
    return { left: cx - rx, right: cx + rx, top: cy - ry, bottom: cy + ry };
  }
  const numbers = (shape.getAttribute("points") ?? shape.getAttribute("d") ?? "").match(/-?[\d.]+/g)?.map(Number) ?? [0, 0];
  const xs = numbers.filter((_, at) => at % 2 === 0), ys = numbers.filter((_, at) => at % 2 === 1);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}
