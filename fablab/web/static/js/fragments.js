// Fetches parts of the page again: `[data-fragment="address"]`, whose answer is the one element in its new version.
import { connected } from "./connection.js";
import { morph } from "./morph.js";

const PATIENCE_MS = 20_000;
const NOT_MODIFIED = 304;
const NOT_FOR_YOU = [401, 403, 404, 410];
const SERVER_ERROR = 500;

const stopped = new WeakSet();
const running = new WeakMap();
const versions = new WeakMap();

/** Tell whether the server has said that `element` is not for this person (any more). */
export function isStopped(element) {
  return stopped.has(element);
}

/**
 * Fetch `element` again and morph it; false when the server could not be reached.
 *
 * Asked again while a request runs, it is fetched once more afterwards, however often it was asked.
 */
export function refresh(element) {
  const run = running.get(element);
  if (run) {
    run.again = true;
    return run.result;
  }
  const fresh = { again: false };
  running.set(element, fresh);
  fresh.result = repeat(element, fresh).finally(() => running.delete(element));
  return fresh.result;
}

async function repeat(element, run) {
  let well = true;
  do {
    run.again = false;
    well = await once(element);
  } while (run.again);
  return well;
}

async function once(element) {
  if (!element.isConnected || isStopped(element)) {
    return true;
  }
  const url = element.dataset.fragment;
  const known = versions.get(element);
  const headers = known?.url === url ? { "If-None-Match": known.tag } : {};
  try {
    const answer = await ask(url, element, { headers, signal: AbortSignal.timeout(PATIENCE_MS) });
    connected(true);
    if (answer.refused) {
      stopped.add(element);
    } else if (answer.root && element.isConnected && element.dataset.fragment === url) {
      morph(element, answer.root);
      versions.set(element, { url, tag: answer.tag });
      if (!answer.tag) {
        versions.delete(element);
      }
    }
    return true;
  } catch {
    connected(false);
    return false;
  }
}

/**
 * Ask for a new version of `element` at `url`.
 *
 * Returns `root`, the new element (null when there is nothing new to show), its `tag` for the next time, and whether
 * the server `refused`. Raises when no sensible answer came, be it that a network's sign-in page came instead.
 */
export async function ask(url, element, { headers, ...options } = {}) {
  const response = await fetch(url, {
    ...options,
    headers: { ...headers, "X-Fragment": "1" },
    credentials: "same-origin",
  });
  const { status, ok, redirected } = response;
  if (NOT_FOR_YOU.includes(status)) {
    return { root: null, refused: true };
  }
  if (status === NOT_MODIFIED) {
    return { root: null, refused: false };
  }
  const root = status < SERVER_ERROR ? onlyRoot(await response.text(), element) : null;
  if (!root && redirected) {
    return { root: null, refused: true };
  }
  if (!root && (ok || status >= SERVER_ERROR)) {
    throw new Error(`${url} answered ${status} without its element`);
  }
  return { root, refused: false, tag: response.headers.get("ETag") };
}

/** Return the one element of `html` when it is a version of `element`. */
function onlyRoot(html, element) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const [root, ...others] = template.content.children;
  const same = root && others.length === 0 && root.tagName === element.tagName && root.id === element.id;
  return same ? root : null;
}
