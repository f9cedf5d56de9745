// Changes a part of the page into a new version of itself, in place: what the person is doing in it stays.
import { Idiomorph } from "../vendor/idiomorph.js";

/** The event that bubbles from a part after it was changed. */
export const MORPHED = "fragment:morphed";

/**
 * Change `element` into `root`. Focus, open details and dialogs, and whatever was typed or chosen stay.
 *
 * Idiomorph's own `ignoreActiveValue` is not used: it also keeps the old words in a focused button, e.g. an old price.
 */
export function morph(element, root) {
  const focused = document.activeElement?.id;
  const chosen = new Map([...element.querySelectorAll("select")].filter(isTouched).map((each) => [each, each.value]));
  Idiomorph.morph(element, root, {
    callbacks: {
      beforeNodeMorphed: (old, fresh) => !(isOpenDialog(old) || keptPreview(old, fresh)),
      beforeAttributeUpdated: (name, node) => !isThePersons(name, node, chosen),
    },
  });
  for (const [select, value] of chosen) {
    choose(select, value);
  }
  if (focused && document.activeElement === document.body) {
    document.getElementById(focused)?.focus();
  }
  element.dispatchEvent(new Event(MORPHED, { bubbles: true }));
}

function isThePersons(name, node, chosen) {
  switch (name) {
    case "value":
    case "checked":
      return isTouched(node);
    case "selected":
      return chosen.has(node.closest("select"));
    case "src":
    case "style":
      return node.matches("img[data-camera]"); // its newest picture, or that there is none
    case "open":
      return node.matches("details, dialog");
    case "hidden":
      return node.matches("[data-hide-with-js]");
    default:
      return false;
  }
}

/** Tell whether a field holds something else than what the server wrote into it. */
function isTouched(field) {
  if (field.matches("select")) {
    return field === document.activeElement || field.selectedIndex !== usualIndex(field);
  }
  if (field.matches("[type=checkbox], [type=radio]")) {
    return field.checked !== field.defaultChecked;
  }
  return (
    field.matches("input:not([type=hidden]), textarea") &&
    (field === document.activeElement || field.value !== field.defaultValue)
  );
}

function usualIndex(select) {
  return Math.max(
    0,
    [...select.options].findIndex((option) => option.defaultSelected),
  );
}

/** Choose again what was chosen; when the list has it no more, what the server proposes. */
function choose(select, value) {
  select.value = value;
  if (select.selectedIndex < 0) {
    select.selectedIndex = usualIndex(select);
  }
}

function isOpenDialog(node) {
  return node.nodeName === "DIALOG" && node.open;
}

/** A 3D preview keeps its canvas; it sees for itself which of its attributes are new. */
function keptPreview(old, fresh) {
  if (!(isPreview(old) && isPreview(fresh))) {
    return false;
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
  return true;
}

function isPreview(node) {
  return node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-viewer");
}
