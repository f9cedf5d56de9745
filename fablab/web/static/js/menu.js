// On a narrow screen a menu scrolls sideways: bring the page one is on into sight.
export function start() {
  for (const here of document.querySelectorAll(":is(.top nav, .tabs) [aria-current]")) {
    const menu = here.parentElement;
    menu.scrollLeft = here.offsetLeft - menu.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;
  }
}
