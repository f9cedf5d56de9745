// `form[data-live]`: a change of a choice fetches the part of the page that depends on it, e.g. the price.
import { connected, fetchFragment, morph } from "./fragments.js";

const REST_MS = 150;

/** Bring all live forms below `root` to life. */
export function start(root) {
  for (const form of root.querySelectorAll("form[data-live]")) {
    attach(form);
  }
}

function attach(form) {
  let timer = null;
  let request = null;

  async function update() {
    request?.abort();
    request = new AbortController();
    const mine = request;
    const target = document.getElementById(form.dataset.liveTarget);
    target.setAttribute("aria-busy", "true");
    try {
      const query = new URLSearchParams(new FormData(form));
      const html = await fetchFragment(`${form.dataset.live}?${query}`, { signal: mine.signal });
      connected(true);
      if (html !== null) {
        morph(target, html);
      }
    } catch {
      if (!mine.signal.aborted) {
        connected(false);
      }
    } finally {
      if (!mine.signal.aborted) {
        document.getElementById(form.dataset.liveTarget).removeAttribute("aria-busy");
      }
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(update, REST_MS);
  }

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  if ([...form.elements].some(isChanged)) {
    soon(); // changed before this script was there, or kept by the browser over a reload
  }
}

function isChanged(field) {
  if (field.options) {
    return [...field.options].some((option) => option.selected !== option.defaultSelected && option.defaultSelected);
  }
  if (field.type === "radio" || field.type === "checkbox") {
    return field.checked !== field.defaultChecked;
  }
  return field.type !== "hidden" && "defaultValue" in field && field.value !== field.defaultValue;
}
