// A button with data-print prints the page; without JavaScript it stays hidden, and the browser's own menu prints.
export function start() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
  }
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) {
      window.print();
    }
  });
}
