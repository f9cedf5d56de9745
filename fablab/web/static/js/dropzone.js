// `form[data-drop]`: a file can be dropped as well as chosen; it is sent at once, with progress.

/** Bring all drop zones below `root` to life. */
export function start(root) {
  for (const form of root.querySelectorAll("form[data-drop]")) {
    attach(form);
  }
}

function attach(form) {
  const input = form.querySelector("input[type=file]");
  const bar = form.querySelector("[data-drop-progress]");
  const error = form.querySelector("[data-drop-error]");

  function send(file) {
    error.textContent = "";
    form.querySelector("[data-drop-name]").textContent = file.name;
    if (file.size > Number(form.dataset.maxBytes)) {
      error.textContent = form.dataset.tooLarge;
      return;
    }
    const data = new FormData();
    data.append(input.name, file);
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
    });
    request.addEventListener("load", () => finish(request));
    request.addEventListener("error", () => form.submit());
    bar.hidden = false;
    form.setAttribute("aria-busy", "true");
    request.send(data);
  }

  function finish(request) {
    form.removeAttribute("aria-busy");
    bar.hidden = true;
    const answer = JSON.parse(request.responseText || "{}");
    if (request.status < 300 && answer.location) {
      location.assign(answer.location);
    } else {
      error.textContent = answer.error ?? String(request.status);
      input.value = "";
    }
  }

  if (input.files.length) {
    send(input.files[0]); // chosen before this script was there
  }
  input.addEventListener("change", () => input.files.length && send(input.files[0]));
  form.addEventListener("submit", (event) => {
    if (input.files.length) {
      event.preventDefault();
      send(input.files[0]);
    }
  });
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.dataset.over = "1";
    });
  }
  for (const name of ["dragleave", "drop"]) {
    form.addEventListener(name, () => delete form.dataset.over);
  }
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      send(event.dataTransfer.files[0]);
    }
  });
}
