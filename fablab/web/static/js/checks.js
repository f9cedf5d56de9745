// `[data-check="address"]`: figures that can be checked. Once the choices rest, the server is asked to, and the element
// becomes what it answers. The result comes later, as any news of a fragment.
import { connected } from "./connection.js";
import { ask } from "./fragments.js";
import { MORPHED, morph } from "./morph.js";

const REST_MS = 600;
const AGAIN_MS = 10_000;

let timer = null;
const asked = new WeakMap();

/** Ask for the checks of the page, also of those parts that come later. */
export function start() {
  document.addEventListener("input", () => soon()); // the person has not finished choosing
  document.addEventListener(MORPHED, () => soon());
  soon();
}

function soon(pause = REST_MS) {
  clearTimeout(timer);
  timer = setTimeout(look, pause);
}

function look() {
  for (const element of document.querySelectorAll("[data-check]:not([aria-busy=true])")) {
    bring(element, element.dataset.check);
  }
}

/** Ask; the server may be busy with other drafts of this person, so ask for the same again only in a while. */
async function bring(element, address) {
  const { last, at } = asked.get(element) ?? {};
  const rest = address === last ? at + AGAIN_MS - Date.now() : 0;
  if (rest > 0) {
    soon(rest);
    return;
  }
  asked.set(element, { last: address, at: Date.now() });
  try {
    const { root } = await ask(address, element, { method: "POST" });
    if (root && element.dataset.check === address) {
      morph(element, root);
    }
    connected(true);
  } catch {
    connected(false);
  }
  soon(AGAIN_MS);
}
