// Idiomorph as a module.
export { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
