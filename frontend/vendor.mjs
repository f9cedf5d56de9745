// Bundles the libraries the pages use into fablab/web/static/vendor, with names, versions, licences and hashes.
// `node vendor.mjs` writes them, `node vendor.mjs --check` tells whether the files are the ones that were written.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../fablab/web/static/vendor");
const record = join(target, "VERSIONS.md");

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

const bundles = [
  { file: "three-stl.js", name: "three", licence: "MIT", entry: "entries/three-stl.js" },
  { file: "idiomorph.js", name: "idiomorph", licence: "0BSD", entry: "entries/idiomorph.js" },
];

async function write() {
  const { build } = await import("esbuild");
  mkdirSync(target, { recursive: true });
  const rows = [];
  for (const { file, name, licence, entry } of bundles) {
    const outfile = join(target, file);
    await build({
      entryPoints: [join(here, entry)],
      outfile,
      bundle: true,
      minify: true,
      format: "esm",
      legalComments: "none",
    });
    const folder = join(here, "node_modules", name);
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    writeFileSync(join(target, `LICENSE-${name}.txt`), readFileSync(join(folder, "LICENSE"), "utf8"));
    rows.push(`| ${file} | ${name} | ${version} | ${licence} | ${sha256(outfile)} |`);
  }
  const head = "# Vendored libraries\n\nMade by `make vendor` from `frontend/`; do not edit.\n\n";
  const table = "| file | library | version | licence | SHA-256 |\n|---|---|---|---|---|\n";
  writeFileSync(record, `${head}${table}${rows.join("\n")}\n`);
}

function check() {
  const text = readFileSync(record, "utf8");
  const changed = bundles.filter(({ file }) => !text.includes(sha256(join(target, file))));
  for (const { file } of changed) {
    console.error(`${file} is not the file that VERSIONS.md records`);
  }
  process.exitCode = changed.length ? 1 : 0;
}

await (process.argv.includes("--check") ? check() : write());
