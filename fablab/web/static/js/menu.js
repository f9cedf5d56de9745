// On a narrow screen the menu scrolls sideways: bring the page one is on into sight.
export function start() {
  const here = document.querySelector(".top nav [aria-current]");
  const menu = here?.closest("nav");
  if (menu) {
    menu.scrollLeft = here.offsetLeft - menu.offsetLeft - (menu.clientWidth - here.offsetWidth) / 2;
  }
}
