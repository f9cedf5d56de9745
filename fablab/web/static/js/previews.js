// Finds the 3D previews of the page, `[data-viewer]`, and loads the viewer for them; `data-part-colour` paints them.
import { MORPHED } from "./morph.js";

const found = new WeakSet();

/** Show the previews of the page, also those that come later. */
export function start() {
  show();
  document.addEventListener(MORPHED, show);
  document.addEventListener("change", paint);
}

function show() {
  const fresh = [...document.querySelectorAll("[data-viewer]")].filter((each) => !found.has(each));
  if (fresh.length === 0) {
    return;
  }
  paint();
  for (const element of fresh) {
    found.add(element);
    bring(element);
  }
}

async function bring(element) {
  if (!canDraw()) {
    element.dataset.viewerState = "failed";
    return;
  }
  element.dataset.viewerState = "loading";
  try {
    const viewer = await import("./viewer.js");
    await viewer.show(element);
  } catch (error) {
    element.dataset.viewerState = "failed"; // what stands in the element stays
    console.warn(error);
  }
}

/** Ask before the library is fetched; the question costs a context, which is given back. */
function canDraw() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}

/** Show the part in the colour that is chosen in the page. */
function paint() {
  const choice = document.querySelector("[data-part-colour]:checked");
  for (const element of choice ? document.querySelectorAll("[data-viewer]") : []) {
    element.dataset.colour = choice.dataset.partColour;
  }
}
