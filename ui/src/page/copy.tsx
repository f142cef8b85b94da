/** A button that copies a text, and says that it did. */
import { useState } from "preact/hooks";

const SAID_MS = 1_500;

export function Copy({ text, label = "Copy" }: { text: () => string; label?: string }) {
  const [said, say] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      say("Copied");
    } catch {
      say("Not allowed");
    }
    setTimeout(() => say(""), SAID_MS);
  };
  return (
    <button type="button" class="quiet" onClick={copy}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
