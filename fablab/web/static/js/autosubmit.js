// `form[data-live="address"]`: a change in the form fetches the part of the page that depends on it, e.g. the price.
import { connected } from "./connection.js";
import { ask } from "./fragments.js";
import { MORPHED, morph } from "./morph.js";

const REST_MS = 150;
const AGAIN_MS = 5_000;

const states = new WeakMap();

/** Follow the changes of all live forms, and hide the buttons that are for pages without JavaScript. */
export function start() {
  for (const name of ["input", "change", "reset"]) {
    document.addEventListener(name, ({ target }) => soon(target.form ?? target));
  }
  document.addEventListener(MORPHED, hideButtons);
  hideButtons();
  for (const form of document.querySelectorAll("form[data-live]")) {
    if ([...form.elements].some(isChanged)) {
      soon(form); // changed before this script was there, or kept by the browser over a reload
    }
  }
}

function isChanged(field) {
  if (field.options) {
    return [...field.options].some((option) => option.defaultSelected && !option.selected);
  }
  if (field.type === "radio" || field.type === "checkbox") {
    return field.checked !== field.defaultChecked;
  }
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
}

function hideButtons() {
  for (const element of document.querySelectorAll("[data-hide-with-js]")) {
    element.hidden = true;
  }
}

function soon(form, pause = REST_MS) {
  if (!form.matches?.("form[data-live]")) {
    return;
  }
  if (!states.has(form)) {
    states.set(form, { timer: null, request: null, shown: null });
  }
  const state = states.get(form);
  clearTimeout(state.timer);
  state.timer = setTimeout(() => update(form, state), pause);
}

async function update(form, state) {
  const target = document.getElementById(form.dataset.liveTarget);
  if (!form.isConnected || !target) {
    return;
  }
  const fields = question(form, target);
  state.request?.abort();
  state.request = new AbortController();
  const { signal } = state.request;
  if (fields !== state.shown) {
    target.setAttribute("aria-busy", "true");
    try {
      const { root } = await ask(...request(form, fields, target, signal));
      connected(true);
      if (root && !signal.aborted) {
        morph(target, root);
        state.shown = fields;
      }
    } catch {
      if (!signal.aborted) {
        connected(false);
        soon(form, AGAIN_MS);
      }
    }
  }
  if (!signal.aborted) {
    target.removeAttribute("aria-busy");
  }
}

/** The fields as the person sees them; hidden fields of the target are an earlier answer. */
function question(form, target) {
  const answers = new Set([...target.querySelectorAll("input[type=hidden]")].map(({ name }) => name));
  const asked = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !answers.has(name));
  return String(new URLSearchParams(asked));
}

function request(form, fields, target, signal) {
  const { live, liveMethod = "get" } = form.dataset;
  if (liveMethod.toLowerCase() === "post") {
    return [live, target, { method: "POST", body: new URLSearchParams(fields), signal }];
  }
  return [`${live}${live.includes("?") ? "&" : "?"}${fields}`, target, { signal }];
}
