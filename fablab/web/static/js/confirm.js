// `form[data-confirm="id of a dialog"]`: asks before it sends. The form goes when the dialog closes with "yes".

const agreed = new WeakSet();

/** Ask before confirmed forms are sent. */
export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const dialog = form.dataset.confirm && document.getElementById(form.dataset.confirm);
    if (!dialog?.showModal || agreed.delete(form)) {
      return;
    }
    event.preventDefault();
    if (!dialog.open) {
      question(dialog, form.action, event.submitter);
    }
  });
}

function question(dialog, action, submitter) {
  dialog.returnValue = "no";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && send(dialog.id, action, submitter), {
    once: true,
  });
  dialog.showModal();
}

/** Send the form that was asked about. The page may have changed meanwhile: another form is never sent instead. */
function send(id, action, submitter) {
  const forms = [...document.querySelectorAll("form[data-confirm]")];
  const form = forms.find((each) => each.dataset.confirm === id && each.action === action);
  if (form) {
    agreed.add(form);
    form.requestSubmit(submitter?.isConnected && submitter.form === form ? submitter : null);
    agreed.delete(form); // when its fields were not valid
  }
}
