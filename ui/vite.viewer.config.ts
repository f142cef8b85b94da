/** The viewer: one file that holds its script, its styles and a place for traces, and asks nothing of anybody. */
import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

/** Where `tracehound` writes traces. */
const PLACE = "<!-- traces -->";

const hashed = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Write script and styles into the page, and allow these and nothing else. */
function oneFile(): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      let [script, styles] = ["", ""];
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") script += file.code.trim();
        else if (name.endsWith(".css")) styles += String(file.source).trim();
        else continue;
        delete bundle[name];
      }
      // With `<script` behind it, `<!--` would hide the end of the script; alone it does nothing.
      if (/<\/?(script|style)/i.test(script + styles)) throw new Error("the bundle would end its own element");
      const policy = `default-src 'none'; script-src ${hashed(script)}; style-src ${hashed(styles)}; base-uri 'none'; form-action 'none'`;
      const page = bundle["viewer.html"];
      if (page?.type !== "asset") throw new Error("there is no page to write into");
      page.source = String(page.source)
        .replace(/\s*<(script|link)\b[^>]*(><\/script>|>)/g, "")
        .replace(
          /(<meta charset="utf-8" \/>)/,
          `$1\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace("</head>", () => `  <style>${styles}</style>\n  </head>`)
        .replace("</body>", () => `  ${PLACE}\n    <script type="module">${script}</script>\n  </body>`);
    },
  };
}

export default defineConfig({
  plugins: [oneFile()],
  build: {
    outDir: "../src/tracehound/model/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    target: "es2022",
    rollupOptions: { input: "viewer.html", output: { codeSplitting: false } },
  },
});
