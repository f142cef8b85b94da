/** A button that copies a text, and says that it did. */
import { useState } from "preact/hooks";

const SAID_MS = 1_500;

/** Copy in the older way, which a frame without an origin may, too. */
function copySelected(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  return isDone;
}

export function Copy({ text, label = "Copy" }: { text: () => string; label?: string }) {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      say("Copied");
    } catch {
      say(copySelected(text()) ? "Copied" : "Not allowed");
    }
    setTimeout(() => say(""), SAID_MS);
  };
  return (
    <button type="button" class="quiet" onClick={copy}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
