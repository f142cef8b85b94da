/** The keyboard: one key does one thing, wherever nobody is writing. */
import { signal } from "@preact/signals";

type Keys = Record<string, () => void>;

const listening: Keys[] = [];
export const isHelpOpen = signal(false);

/** What each key does, as the dialog tells it; some do it only where a server is asked. */
export const KEYS: [keys: string, told: string, isServers?: boolean][] = [
  ["/", "Find traces; in a trace: look for a text"],
  ["j  k  ↓  ↑", "Next, previous"],
  ["Enter", "Open the trace"],
  ["←  →", "Close, open a branch of the tree"],
  ["n  p", "Next, previous trace"],
  ["1  2  3  4", "Traces, sessions, users, compare", true],
  ["e", "Next span with an error; of two traces: the next difference"],
  ["x", "Compare with another trace", true],
  ["v", "Tree, waterfall and flame"],
  ["r", "Show what is new", true],
  ["t", "Range of time", true],
  ["f", "Facets", true],
  ["c", "Columns"],
  ["d", "Dark or light"],
  ["Esc", "Back"],
  ["?", "These keys"],
];

/** Have keys do something until the returned function is called; who comes last is asked first. */
export function onKeys(keys: Keys): () => void {
  listening.unshift(keys);
  return () => {
    listening.splice(listening.indexOf(keys), 1);
  };
}

const OWN = "input, textarea, select, [contenteditable], [data-keys='own'], [role='dialog'], [popover]";
const PRESSED = "button, a, summary, label";

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.closest?.(OWN)) {
    if (event.key === "Escape" && target.matches("input, textarea, select")) target.blur();
    return;
  }
  if ((event.key === "Enter" || event.key === " ") && target.closest?.(PRESSED)) return;
  const does = listening.find((keys) => keys[event.key])?.[event.key];
  if (does) {
    event.preventDefault();
    does();
  }
});
