// The only script of a page: brings its live parts to life. Every module listens at the document, so that parts
// which arrive later live as well, and the 3D library is fetched only where a model is shown.
import { start as autosubmit } from "./autosubmit.js";
import { start as cameras } from "./cameras.js";
import { start as checks } from "./checks.js";
import { start as confirm } from "./confirm.js";
import { start as dropzone } from "./dropzone.js";
import { start as every } from "./every.js";
import { start as live } from "./live.js";
import { start as menu } from "./menu.js";
import { start as previews } from "./previews.js";
import { start as print } from "./print.js";

for (const start of [autosubmit, cameras, checks, confirm, dropzone, every, live, menu, previews, print]) {
  start();
}
