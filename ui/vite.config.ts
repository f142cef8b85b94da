import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../src/tracehound/server/static",
    emptyOutDir: true,
    // Nothing may be written into the page itself: the server's policy allows files of its own only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 700, // most of it is the editor of filters
  },
  // `npx vite` shows the page while it is written, over a server that runs on its usual port.
  server: { proxy: { "/api": "http://127.0.0.1:5000" } },
});
