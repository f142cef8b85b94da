/** The tags of a trace, which can be set and removed, and its metadata, which cannot. */
import { useState } from "preact/hooks";
import { deleteTag, type Problem, putTag, type Trace } from "../page/api";
import { Copy } from "../page/copy";
import { oneLine } from "../page/format";
import { tagsOf } from "../traces/columns";

export function Tags({ trace, onChange }: { trace: Trace; onChange: () => void }) {
  const [error, setError] = useState("");
  const run = async (work: Promise<unknown>) => {
    try {
      await work;
      setError("");
      onChange();
    } catch (failed) {
      setError((failed as Problem).message);
    }
  };
  const tags = tagsOf(trace);
  return (
    <section>
      <h3>Tags</h3>
      {!tags.length && <p class="muted">No tags yet.</p>}
      <ul class="pairs">
        {tags.map(([key, value]) => (
          <li key={key}>
            <b>{oneLine(key, 80)}</b>
            <input
              class="small"
              aria-label={`Value of ${key}`}
              defaultValue={value}
              onChange={(event) => run(putTag(trace.trace_id, key, event.currentTarget.value))}
            />
            <button
              type="button"
              class="quiet"
              aria-label={`Remove ${key}`}
              onClick={() => run(deleteTag(trace.trace_id, key))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const given = new FormData(form);
          void run(putTag(trace.trace_id, String(given.get("key")).trim(), String(given.get("value")))).then(() =>
            form.reset(),
          );
        }}
      >
        <label>
          Tag <input name="key" required placeholder="reviewed" />
        </label>
        <label>
          Value <input name="value" placeholder="yes" />
        </label>
        <p class="buttons">
          <button type="submit">Set</button>
        </p>
      </form>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}

export function Pairs({ title, pairs }: { title: string; pairs: [string, string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      {!pairs.length && <p class="muted">None.</p>}
      <dl class="pairs">
        {pairs.map(([key, value]) => (
          <div key={key}>
            <dt>{oneLine(key, 120)}</dt>
            <dd>
              {oneLine(value, 400)} <Copy text={() => value} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
