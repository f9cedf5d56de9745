// Says on the page whether the server can be reached; the sentence is in the page already, CSS shows it.

let leaving = false;
addEventListener("pagehide", () => {
  leaving = true; // the requests that end now were not lost
});
addEventListener("pageshow", () => {
  leaving = false;
});

/** Note that an answer came (`true`) or that none did (`false`). */
export function connected(well) {
  if (well) {
    delete document.documentElement.dataset.connection;
  } else if (!leaving) {
    document.documentElement.dataset.connection = "lost";
  }
}
