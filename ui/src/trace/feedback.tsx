/** What people, judges and code say of a trace: read, added, corrected, taken back. */
import { useState } from "preact/hooks";
import { type Assessment, addAssessment, changeAssessment, deleteAssessment, type Problem } from "../page/api";
import { oneLine, visible } from "../page/format";
import { source } from "../page/source";

type Reader = (text: string) => unknown;

/** What somebody writes as a value: yes and no, a number, else a text. */
const VALUES: [pattern: RegExp, read: Reader][] = [
  [/^(yes|true)$/i, () => true],
  [/^(no|false)$/i, () => false],
  [/^-?\d+(\.\d+)?$/, Number],
  [/.*/s, (text) => text],
];

export function parseValue(text: string): unknown {
  const [, read] = VALUES.find(([pattern]) => pattern.test(text.trim())) as [RegExp, Reader];
  return read(text.trim());
}

const told = (value: unknown): string =>
  value === true ? "yes" : value === false ? "no" : typeof value === "string" ? value : JSON.stringify(value);

interface Props {
  trace: string;
  assessments: Assessment[];
  onChange: () => void;
}

export function FeedbackList({ trace, assessments, onChange }: Props) {
  const [corrected, correct] = useState<Assessment | null>(null);
  const [error, setError] = useState("");
  const run = async (work: Promise<unknown>) => {
    try {
      await work;
      setError("");
      onChange();
      return true;
    } catch (failed) {
      setError((failed as Problem).message);
      return false;
    }
  };
  const submit = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const value = parseValue(text("value"));
    const rationale = text("rationale") || undefined;
    const work = corrected
      ? changeAssessment(trace, corrected.assessment_id, value, rationale)
      : addAssessment(trace, { kind: text("kind"), name: text("name"), value, rationale });
    if (await run(work)) {
      form.reset();
      correct(null);
    }
  };
  return (
    <section>
      <h3>Feedback and expectations</h3>
      {!assessments.length && <p class="muted">Nobody has said anything of this trace yet.</p>}
      <ul class="said">
        {assessments.map((each) => (
          <li key={each.assessment_id} class={each.valid === false ? "dim" : ""}>
            <p>
              <b>{oneLine(each.name, 60)}</b> <span class="chip">{oneLine(told(each.value), 120)}</span>{" "}
              <span class="muted">
                {each.kind} · {each.source.source_type.toLowerCase().replace("_", " ")}{" "}
                {oneLine(each.source.source_id ?? "", 40)}
              </span>
            </p>
            {each.error && <p class="error">{visible(each.error.error_message ?? each.error.error_code)}</p>}
            {each.rationale && <p>{visible(each.rationale)}</p>}
            {source.isServer && (
              <p class="buttons">
                <button type="button" class="quiet" onClick={() => correct(each)}>
                  Correct
                </button>
                <button type="button" class="quiet" onClick={() => run(deleteAssessment(trace, each.assessment_id))}>
                  Take back
                </button>
              </p>
            )}
          </li>
        ))}
      </ul>
      {source.isServer && (
        <form class="fields" key={corrected?.assessment_id ?? "new"} onSubmit={submit}>
          {corrected ? (
            <p>
              Correct <b>{oneLine(corrected.name, 60)}</b>
            </p>
          ) : (
            <>
              <label>
                Kind
                <select name="kind">
                  <option value="feedback">Feedback</option>
                  <option value="expectation">Expectation</option>
                </select>
              </label>
              <label>
                Name <input name="name" required placeholder="correct" />
              </label>
            </>
          )}
          <label>
            Value
            <input
              name="value"
              required
              placeholder="yes, no, a number or a text"
              defaultValue={corrected ? told(corrected.value) : undefined}
            />
          </label>
          <label>
            Why <input name="rationale" defaultValue={corrected?.rationale ?? undefined} />
          </label>
          <p class="buttons">
            <button type="submit">{corrected ? "Correct" : "Add"}</button>
            {corrected && (
              <button type="button" class="quiet" onClick={() => correct(null)}>
                Leave it
              </button>
            )}
          </p>
          {error && (
            <p class="error" role="alert">
              {error}
            </p>
          )}
        </form>
      )}
    </section>
  );
}
