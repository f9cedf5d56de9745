// Refreshes `[data-fragment][data-every="seconds"]` again and again while somebody looks: for pages without a stream.
import { isStopped, refresh } from "./fragments.js";

const SECOND_MS = 1_000;

/** Keep such parts of the page up to date. */
export function start() {
  for (const element of document.querySelectorAll("[data-fragment][data-every]")) {
    setInterval(() => !document.hidden && !isStopped(element) && refresh(element), element.dataset.every * SECOND_MS);
  }
}
