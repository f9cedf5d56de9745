// The only script of a page: brings its live parts to life, and loads the 3D preview only where one is shown.
import { start as autosubmit } from "./autosubmit.js";
import { start as confirm } from "./confirm.js";
import { start as dropzone } from "./dropzone.js";
import { start as live } from "./live.js";

autosubmit(document);
confirm(document);
dropzone(document);
live(document);

for (const element of document.querySelectorAll("[data-viewer]")) {
  import("./viewer.js")
    .then(({ show }) => show(element))
    .catch(() => {
      element.dataset.viewerState = "failed";
    });
}
for (const element of document.querySelectorAll("[data-hide-with-js]")) {
  element.hidden = true;
}
