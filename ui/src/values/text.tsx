/** A text of any length: in pieces, so that ten megabytes of it keep the page as quick as ten lines. */
import { useState } from "preact/hooks";
import { count, visible } from "../page/format";

const PIECE = 20_000;

export function Text({ text }: { text: string }) {
  const [shown, show] = useState(PIECE);
  return (
    <>
      <pre class="text">{visible(text.slice(0, shown))}</pre>
      {text.length > shown && (
        <p class="more">
          <button type="button" onClick={() => show(shown + 10 * PIECE)}>
            Show more
          </button>
          <span class="muted">
            {count(shown)} of {count(text.length)} characters
          </span>
        </p>
      )}
    </>
  );
}
