// What all widgets share in the page: elements, theme, sending with an answer, notices, and pictures that zoom.

export const WAIT_MS = 8000;
/** Scale below which labels cannot be read. */
export const LEGIBLE = 0.7;
const SVG = "http://www.w3.org/2000/svg";

/** An element: h("button", {class: "x", onclick}, "text", child...). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("aria-") && value !== undefined && value !== null) {
      element.setAttribute(key, String(value));
      continue;
    }
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** 28883319 as "28,883,319". */
export function count(value) {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : Math.round(value).toLocaleString("en-US");
}

/** 28883319 as "28.9M". */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  for (const [size, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(value) >= size) return `${(value / size).toPrecision(3)}${letter}`;
  return `${Number(value.toPrecision ? value.toPrecision(3) : value)}`;
}

/** 152480 as "152 kB". */
export function size(value) {
  const text = short(value);
  return /[kMGT]$/.test(text) ? `${text.slice(0, -1)} ${text.slice(-1)}B` : `${text} B`;
}

/** The frame of a widget: themed root element, notice line, and how to send. Returns what a render function needs. */
export function frame(model, el, name, label) {
  const root = h("div", { class: `ff ff-${name}`, role: "region", "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  const body = h("div", { class: "ff-body" });
  const notice = h("div", { class: "ff-notice", role: "status", "aria-live": "polite" });
  const lost = h("div", { class: "ff-lost", role: "alert", hidden: true });
  root.append(lost, body, notice);
  el.append(root);
  const cleanups = [];
  const on = (event, callback) => {
    model.on(event, callback);
    cleanups.push(() => model.off(event, callback));
  };

  // JupyterLab takes keys for itself where a selector fits the focused element (":focus" always does) before it comes to an
  // element with this attribute; so the element that has the focus must have it, not the root alone.
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));

  // What had the focus before a message: it gets it back when the message is closed. A redrawn element is known by its id.
  let last = null;
  root.addEventListener("focusin", (event) => { if (!notice.contains(event.target)) last = event.target; });
  const refocus = () => {
    const again = last?.isConnected ? last : last?.id ? root.querySelector(`#${CSS.escape(last.id)}`) : null;
    const usable = again && !again.disabled ? again : body.querySelector("button:not(:disabled), [tabindex='0']");
    usable?.focus({ preventScroll: true });
  };

  const showNotice = () => {
    const { kind, text } = model.get("notice") ?? {};
    notice.className = `ff-notice ff-${kind ?? "none"}`;
    notice.replaceChildren();
    if (!text) return;
    notice.append(h("span", {}, `${kind === "error" ? "Not done: " : ""}${text}`));
    notice.append(
      h("button", { class: "ff-close", title: "close this message", "aria-label": "close this message", onclick: () => {
        model.set("notice", {});
        model.save_changes();
        refocus();
      } }, "×"),
    );
  };
  on("change:notice", showNotice);
  showNotice();

  /**
   * Call `whole`, or what `parts` names for the traits that changed: once per message, however many traits it sets.
   * `whole` includes all the parts; `version` is the trait that asks for it.
   */
  const follow = (parts, whole) => {
    const wanted = new Set();
    const flush = () => {
      const calls = wanted.has(whole) ? [whole] : [...wanted];
      wanted.clear();
      for (const call of calls) call();
    };
    for (const [key, call] of Object.entries({ ...parts, version: whole }))
      on(`change:${key}`, () => {
        if (!wanted.size) queueMicrotask(flush);
        wanted.add(call);
      });
  };
  root.addEventListener("click", pressed);
  root.addEventListener("keydown", pressed);

  const theme = () => {
    const wanted = model.get("theme");
    root.dataset.theme = wanted === "auto" ? around(el) : wanted;
  };
  on("change:theme", theme);
  theme();
  const watcher = new MutationObserver(theme);
  watcher.observe(document.body, { attributes: true });
  cleanups.push(() => watcher.disconnect());
  // render() runs before the element is in the page, where it has no background yet.
  const attached = new ResizeObserver(theme);
  attached.observe(root);
  cleanups.push(() => attached.disconnect());

  let number = 0;
  const pending = new Map();
  const answered = (message) => {
    if (message && "received" in message) {
      clearTimeout(pending.get(message.received));
      pending.delete(message.received);
      lost.hidden = true;
    }
  };
  on("msg:custom", answered);
  cleanups.push(() => pending.forEach((timer) => clearTimeout(timer)));

  /** Send `content` to the kernel; if it does not answer, say so. */
  const send = (content) => {
    const mine = `${Math.random().toString(36).slice(2)}-${(number += 1)}`;
    pending.set(mine, setTimeout(() => {
      pending.delete(mine);
      lost.hidden = false;
      lost.textContent =
        "The kernel does not answer: it is busy with another cell, or it is gone. Wait for the cell to end; if the kernel was " +
        "restarted, run the notebook again (Run > Restart Kernel and Run All Cells).";
    }, WAIT_MS));
    try {
      model.send({ ...content, number: mine });
    } catch (error) {
      lost.hidden = false;
      lost.textContent = `The kernel cannot be reached (${error.message}); run the notebook again.`;
    }
  };
  /** Ask the kernel for `action`. */
  const ask = (action, args = {}) => send({ action, arguments: args });
  /** Set a trait. Nobody answers that, so the page asks whether there is anybody, once at a time. */
  const set = (key, value) => {
    model.set(key, value);
    model.save_changes();
    if (!pending.size) send({});
  };
  // The kernel stops what nobody can see or stop any more (View.when_unseen).
  const view = Math.random().toString(36).slice(2);
  const tell = (shown) => {
    try {
      model.send({ view, shown });
    } catch {
      // A model that is closed, or whose kernel is gone, has nothing to stop.
    }
  };
  tell(true);
  cleanups.push(() => tell(false));

  return { root, body, on, follow, ask, set, cleanup: () => cleanups.forEach((each) => each()), cleanups };
}

/** Light or dark, by the luminance of the background behind `element`. */
function around(element) {
  for (let node = element; node; node = node.parentElement) {
    const parts = getComputedStyle(node).backgroundColor.match(/[\d.]+/g);
    if (parts && (parts.length < 4 || Number(parts[3]) > 0.5)) {
      const [red, green, blue] = parts.map(Number);
      return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
    }
  }
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Other children for `holder`; the focus stays on the control at the same place, if one had it. */
export function refill(holder, ...children) {
  const controls = () => [...holder.querySelectorAll("button, select, input")];
  const at = controls().indexOf(document.activeElement);
  holder.replaceChildren(...children);
  if (at >= 0) controls()[at]?.focus({ preventScroll: true });
}

/** A button with an accessible name; `key` is shown in its title. */
export function button(text, title, onclick, props = {}) {
  return h("button", { type: "button", class: "ff-button", title, "aria-label": title, onclick, ...props }, text);
}

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

/** A thick transparent twin under every edge, so that it can be hit; makes the edge a button for keys and readers. */
export function reachable(edge, label, act) {
  const path = edge.querySelector("path");
  if (!path) return;
  const twin = path.cloneNode();
  for (const name of ["stroke-dasharray", "id"]) twin.removeAttribute(name);
  twin.setAttribute("stroke-width", "14");
  twin.setAttribute("stroke", "transparent");
  twin.setAttribute("class", "ff-hit");
  path.parentNode.insertBefore(twin, path);
  press(edge, label, act);
}

const acts = new WeakMap();

/** Let an SVG group act on click, Enter and Space. The frame listens for all of them. */
export function press(group, label, act) {
  group.setAttribute("tabindex", "0");
  group.setAttribute("role", "button");
  group.setAttribute("aria-label", label);
  acts.set(group, act);
}

function pressed(event) {
  const act = acts.get(event.target.closest?.("[role=button]"));
  if (!act || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
  if (event.type === "keydown") {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  act(event);
}

/** Set an attribute that may well have this value already: writing it again would cost a style pass. */
export function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
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

/** How long a drawing took: `draw-ms` in this script, `frame-ms` until the page has been painted with it. */
export function timed(root, begun) {
  root.dataset.drawMs = (performance.now() - begun).toFixed(1);
  requestAnimationFrame(() => setTimeout(() => { root.dataset.frameMs = (performance.now() - begun).toFixed(1); }));
}
