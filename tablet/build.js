// Builds the page: node build.js [FOLDER]. The same sources give the same bytes.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../coordinator/service/page");
const fonts = join(here, "node_modules/@fontsource/barlow");

process.chdir(here); // paths in what is built are relative to here, wherever here is
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = {
  absWorkingDir: here,
  bundle: true, minify: true, legalComments: "none", target: ["chrome100", "firefox100", "safari15.4"],
  logLevel: "warning",
};
await build({ ...common, entryPoints: ["src/main.js"], outfile: join(out, "app.js"), format: "esm" });
await build({
  ...common, entryPoints: ["src/clip/worker.js"], outfile: join(out, "recording.js"), format: "iife",
});
await build({
  ...common, entryPoints: ["src/style.css"], outfile: join(out, "app.css"), external: ["*.woff2"],
});
for (const weight of [500, 700]) {
  copyFileSync(`${fonts}/files/barlow-latin-${weight}-normal.woff2`, join(out, `barlow-${weight}.woff2`));
}
for (const name of ["index.html", "manifest.webmanifest"]) copyFileSync(`src/${name}`, join(out, name));
for (const name of readdirSync("icons")) copyFileSync(`icons/${name}`, join(out, name));
copyFileSync("licences.txt", join(out, "licences.txt"));

const digest = createHash("sha256");
for (const name of readdirSync(out).sort()) digest.update(name).update(readFileSync(join(out, name)));
await build({
  ...common, entryPoints: ["src/sw.js"], outfile: join(out, "sw.js"), format: "iife",
  define: { BUILT: JSON.stringify(digest.digest("hex").slice(0, 12)) },
});
