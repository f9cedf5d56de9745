// Fetches a part of the page again and morphs it in place: focus, open details and typed text stay.
import { Idiomorph } from "../vendor/idiomorph.js";

const waiting = new WeakMap();

/** Replace `element` by the one root element of `html`, keeping what the person is doing in it. */
export function morph(element, html) {
  Idiomorph.morph(element, html, {
    ignoreActiveValue: true,
    callbacks: {
      beforeAttributeUpdated: (name, node) =>
        !(name === "open" && (node.tagName === "DETAILS" || node.tagName === "DIALOG")),
      beforeNodeMorphed: (node) => !(node.tagName === "DIALOG" && node.open),
    },
  });
}

/** Say on the page whether the server can be reached. */
export function connected(well) {
  if (well) {
    delete document.documentElement.dataset.connection;
  } else {
    document.documentElement.dataset.connection = "lost";
  }
}

/** Fetch a fragment's address; null when there is nothing new to show. */
export async function fetchFragment(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { "X-Fragment": "1" }, credentials: "same-origin" });
  if (response.status === 401 || response.status === 403) {
    return null;
  }
  const html = await response.text();
  if (!response.ok) {
    throw new Error(`${url} answered ${response.status}`);
  }
  return html;
}

/** Refresh a `[data-fragment]` element; asked again meanwhile, it is fetched once more afterwards. */
export async function refresh(element) {
  if (waiting.has(element)) {
    waiting.set(element, true);
    return;
  }
  waiting.set(element, false);
  try {
    const html = await fetchFragment(element.dataset.fragment);
    connected(true);
    if (html !== null) {
      morph(element, html);
    }
  } catch {
    connected(false);
  } finally {
    const again = waiting.get(element);
    waiting.delete(element);
    if (again) {
      await refresh(element);
    }
  }
}
