// `form[data-confirm]`: asks in the named dialog before it sends. Works for forms that arrive later, too.

/** Ask before confirmed forms below `root` are sent. */
export function start(root) {
  root.addEventListener("submit", (event) => {
    const form = event.target;
    const dialog = form.dataset.confirm && document.getElementById(form.dataset.confirm);
    if (!dialog || form.dataset.confirmed) {
      return;
    }
    event.preventDefault();
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => answered(form, dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

function answered(form, answer) {
  if (answer === "yes") {
    form.dataset.confirmed = "1";
    form.requestSubmit();
    delete form.dataset.confirmed;
  }
}
