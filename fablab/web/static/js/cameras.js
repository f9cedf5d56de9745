// Shows the newest picture of each camera while somebody looks; one that fails leaves its place empty.
const EVERY_MS = 5_000;

/** Keep the pictures of the cameras up to date. */
export function start() {
  document.addEventListener("error", hide, true);
  for (const image of document.querySelectorAll("img[data-camera]")) {
    image.style.visibility = image.complete && image.naturalWidth === 0 && image.currentSrc ? "hidden" : "";
  }
  setInterval(() => !document.hidden && document.querySelectorAll("img[data-camera]").forEach(renew), EVERY_MS);
}

function hide(event) {
  if (event.target.matches?.("img[data-camera]")) {
    event.target.style.visibility = "hidden";
  }
}

/** Fetch the next picture beside the one that is shown, so that nothing flickers. */
function renew(image) {
  const next = new Image();
  const show = () => {
    image.src = next.src;
    image.style.visibility = "";
  };
  next.addEventListener("load", show, { once: true });
  next.addEventListener("error", () => (image.style.visibility = "hidden"), { once: true });
  next.src = `${image.dataset.camera}?${Date.now()}`;
}
