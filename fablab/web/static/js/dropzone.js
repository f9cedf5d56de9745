// `form[data-drop]`: a file can be dropped as well as chosen; it is sent at once, and one sees how far it is.
import { connected } from "./connection.js";

const TOO_LARGE = 413;

const sending = new WeakMap();

/** Bring all drop zones of the page to life. */
export function start() {
  document.addEventListener("change", ({ target }) => {
    if (target.matches("form[data-drop] input[type=file]")) {
      sendChosen(target.form);
    }
  });
  document.addEventListener("submit", sendInstead);
  document.addEventListener("click", openPicker);
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, hover);
  }
  document.addEventListener("dragleave", leave);
  document.addEventListener("drop", drop);
  addEventListener("pagehide", tidy);
  sendEarlyChoice();
}

function zoneOf(event) {
  return event.target.closest?.("form[data-drop]");
}

function inputOf(form) {
  return form.querySelector("input[type=file]");
}

/** A file may have been chosen before this script was there; but not when somebody comes back to the page. */
function sendEarlyChoice() {
  const [arrival] = performance.getEntriesByType?.("navigation") ?? [];
  if (!arrival || arrival.type === "navigate") {
    document.querySelectorAll("form[data-drop]").forEach(sendChosen);
  }
}

function sendChosen(form) {
  const { files } = inputOf(form);
  if (files.length > 0) {
    send(form, [...files]);
  }
}

function sendInstead(event) {
  const form = event.target;
  if (form.matches("form[data-drop]") && inputOf(form).files.length > 0) {
    event.preventDefault();
    if (!sending.has(form)) {
      sendChosen(form);
    }
  }
}

function openPicker(event) {
  const form = zoneOf(event);
  if (form && !event.target.closest("a, button, input, label, select, textarea, summary")) {
    inputOf(form).click();
  }
}

function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files");
}

/** On a page with a drop zone, a file that is dropped beside it must not replace the page. */
function hover(event) {
  if (!hasFiles(event) || !document.querySelector("form[data-drop]")) {
    return;
  }
  event.preventDefault();
  const form = zoneOf(event);
  event.dataTransfer.dropEffect = form ? "copy" : "none";
  if (form) {
    form.dataset.over = "1";
  }
}

function leave(event) {
  const form = zoneOf(event);
  if (form && !form.contains(event.relatedTarget)) {
    delete form.dataset.over;
  }
}

function drop(event) {
  const form = zoneOf(event);
  if (!form || !hasFiles(event)) {
    return;
  }
  event.preventDefault();
  delete form.dataset.over;
  const { files } = event.dataTransfer;
  if (files instanceof FileList) {
    inputOf(form).files = files;
  }
  if (files.length > 0) {
    send(form, [...files].slice(0, inputOf(form).multiple ? files.length : 1));
  }
}

function send(form, files) {
  sending.get(form)?.abort();
  say(form, "error", "");
  say(form, "name", files.map(({ name }) => name).join(", "));
  if (files.reduce((sum, { size }) => sum + size, 0) > Number(form.dataset.maxBytes)) {
    refuse(form, form.dataset.tooLarge);
    return;
  }
  const fields = new FormData(form);
  const { name } = inputOf(form);
  fields.delete(name);
  for (const file of files) {
    fields.append(name, file);
  }
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => showProgress(form, event));
  request.addEventListener("load", () => finish(form, request));
  request.addEventListener("error", () => interrupt(form));
  busy(form, request);
  request.send(fields);
}

function busy(form, request) {
  const bar = form.querySelector("[data-drop-progress]");
  if (request) {
    sending.set(form, request);
    form.setAttribute("aria-busy", "true");
  } else {
    sending.delete(form);
    form.removeAttribute("aria-busy");
  }
  if (bar) {
    bar.hidden = !request;
    bar.value = 0;
  }
}

function showProgress(form, { lengthComputable, loaded, total }) {
  const bar = form.querySelector("[data-drop-progress]");
  if (bar && lengthComputable) {
    bar.value = (bar.max * loaded) / total;
  }
}

function finish(form, request) {
  connected(true);
  const { location: place, error } = parsed(request.responseText);
  if (request.status < 300 && place) {
    location.assign(place); // it stays busy until the next page is there
    return;
  }
  busy(form, null);
  const tooLarge = request.status === TOO_LARGE ? form.dataset.tooLarge : null;
  refuse(form, error ?? tooLarge ?? form.dataset.failed ?? String(request.status));
}

/** A proxy in between may answer with a page of its own. */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) {
      return {};
    }
    throw error;
  }
}

/** The file stays chosen: the button of the form sends it again. */
function interrupt(form) {
  busy(form, null);
  connected(false);
  say(form, "error", form.dataset.failed ?? "");
}

/** Say why not, and forget the file, so that the same one can be chosen again when it is mended. */
function refuse(form, sentence) {
  say(form, "error", sentence);
  inputOf(form).value = "";
}

function say(form, what, words) {
  const place = form.querySelector(`[data-drop-${what}]`);
  if (place) {
    place.textContent = words;
  }
}

/** Somebody who comes back to the page finds an empty zone. */
function tidy() {
  for (const form of document.querySelectorAll("form[data-drop]")) {
    busy(form, null);
    say(form, "name", "");
    inputOf(form).value = "";
  }
}
