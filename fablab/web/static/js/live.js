// Listens to the topics of the page's fragments and fetches what changed; without a stream it asks every few seconds.
import { connected, refresh } from "./fragments.js";

const POLL_MS = 5000;
const SLOWEST_POLL_MS = 30000;

/** Keep all `[data-topics]` fragments below `root` up to date. */
export function start(root) {
  const fragments = () => [...root.querySelectorAll("[data-fragment][data-topics]")];
  if (!fragments().length) {
    return;
  }
  const topicsOf = (element) => element.dataset.topics.split(" ");
  const topics = [...new Set(fragments().flatMap(topicsOf))];
  const refreshAll = () => Promise.all(fragments().map(refresh));
  let source = null;
  let timer = null;
  let pause = POLL_MS;

  function poll() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      await refreshAll();
      pause = Math.min(pause * 1.5, SLOWEST_POLL_MS);
      poll();
    }, pause);
  }

  function listen() {
    clearTimeout(timer);
    source = new EventSource(`/events?topics=${encodeURIComponent(topics.join(","))}`);
    source.addEventListener("hello", () => {
      pause = POLL_MS;
      clearTimeout(timer);
      connected(true);
      refreshAll();
    });
    source.addEventListener("topic", (event) => {
      for (const element of fragments().filter((each) => topicsOf(each).includes(event.data))) {
        refresh(element);
      }
    });
    source.addEventListener("error", () => {
      // The browser tries again by itself unless it has given up; meanwhile the page asks.
      if (source?.readyState === EventSource.CLOSED) {
        setTimeout(() => !document.hidden && listen(), SLOWEST_POLL_MS);
      }
      poll();
    });
  }

  function quiet() {
    source?.close();
    source = null;
    clearTimeout(timer);
  }

  document.addEventListener("visibilitychange", () => {
    quiet();
    if (!document.hidden) {
      refreshAll();
      listen();
    }
  });
  addEventListener("pagehide", quiet);
  listen();
}
