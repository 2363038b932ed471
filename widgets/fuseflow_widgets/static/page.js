// What all widgets share in the page: elements, theme, sending with an answer, and notices.

export const WAIT_MS = 8000;
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

/** How long a drawing took: `draw-ms` in this script, `frame-ms` until the page has been painted with it. */
export function timed(root, begun) {
  root.dataset.drawMs = (performance.now() - begun).toFixed(1);
  requestAnimationFrame(() => setTimeout(() => { root.dataset.frameMs = (performance.now() - begun).toFixed(1); }));
}
