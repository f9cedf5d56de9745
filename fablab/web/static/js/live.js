// Listens to the topics of the page, `[data-topics="a b"]`, and refreshes the fragments around them.
// Without a stream the page asks every few seconds; while nobody looks at it, it rests.
import { connected } from "./connection.js";
import { isStopped, refresh } from "./fragments.js";
import { MORPHED } from "./morph.js";

const POLL_MS = 5_000;
const SLOWEST_POLL_MS = 30_000;
const LISTEN_AGAIN_MS = 30_000;

let source = null;
let followed = "";
let poller = null;
let listener = null;
let pause = POLL_MS;

/** Keep the fragments of the page up to date, also those that come later. */
export function start() {
  follow();
  document.addEventListener(MORPHED, follow);
  document.addEventListener("visibilitychange", lookAgain);
  addEventListener("online", lookAgain);
  addEventListener("pageshow", (event) => event.persisted && lookAgain());
  addEventListener("pagehide", rest);
}

function topicsOf(element) {
  return element.dataset.topics.split(/\s+/).filter(Boolean);
}

function subscribed() {
  return [...document.querySelectorAll("[data-topics]")]
    .map((element) => ({ topics: topicsOf(element), fragment: element.closest("[data-fragment]") }))
    .filter(({ fragment }) => fragment && !isStopped(fragment));
}

function fragmentsOf(topic = null) {
  const found = subscribed().filter(({ topics }) => topic === null || topics.includes(topic));
  return [...new Set(found.map(({ fragment }) => fragment))];
}

/** Listen to what the page shows now: nothing while it is hidden, and no second time to the same. */
function follow() {
  const topics = new Set(document.hidden ? [] : subscribed().flatMap(({ topics }) => topics));
  const wanted = [...topics].sort().map(encodeURIComponent).join(",");
  if (wanted !== followed) {
    rest();
    followed = wanted;
    if (wanted) {
      listen();
    }
  }
}

function listen() {
  clearTimeout(listener);
  listener = null;
  source?.close();
  source = new EventSource(`/events?topics=${followed}`);
  // Also after the first hello: something may have happened between the page and its stream.
  source.addEventListener("hello", () => bring(fragmentsOf()));
  source.addEventListener("topic", (event) => bring(fragmentsOf(event.data)));
  source.addEventListener("error", askInstead);
}

/** The browser reconnects by itself unless it was refused; meanwhile, the page asks. */
function askInstead() {
  if (source?.readyState === EventSource.CLOSED) {
    listener ??= setTimeout(listen, LISTEN_AGAIN_MS);
  }
  pollSoon();
}

function pollSoon() {
  poller ??= setTimeout(() => {
    poller = null;
    bring(fragmentsOf());
  }, pause);
}

async function bring(fragments) {
  const answers = await Promise.all(fragments.map(refresh));
  const well = answers.every(Boolean);
  pause = well ? POLL_MS : Math.min(pause * 1.5, SLOWEST_POLL_MS);
  follow(); // what was refused is followed no longer
  if (!source) {
    return;
  }
  if (well && source.readyState === EventSource.OPEN) {
    clearTimeout(poller);
    poller = null;
  } else {
    pollSoon();
  }
}

function rest() {
  source?.close();
  source = null;
  followed = "";
  clearTimeout(poller);
  clearTimeout(listener);
  poller = null;
  listener = null;
  pause = POLL_MS;
}

function lookAgain() {
  rest();
  follow();
  if (!document.hidden) {
    bring(fragmentsOf());
  } else {
    connected(true); // unknown until somebody looks again
  }
}
