/** Two values of a key, compared: which of them is slower, fails more, costs more, and how sure that is. */
import "../style/compare.css";
import { useEffect, useState } from "preact/hooks";
import { focusFilter } from "../filter/editor";
import { get, go } from "../page/address";
import { type Field, Problem } from "../page/api";
import { count } from "../page/format";
import { onKeys } from "../page/keys";
import { toggleMenu } from "../page/menu";
import { Notice } from "../page/notice";
import { FilterBar } from "../traces/filter-bar";
import { refresh, round, scope } from "../traces/rows";
import { TIMES } from "../traces/time-range";
import { type Comparison, compareTraces } from "./api";
import { Chooser, picksOf } from "./chooser";
import { Examples } from "./examples";
import { Latencies } from "./latencies";
import { Measures } from "./measures";

export function ComparePage() {
  const [fields, setFields] = useState<Field[]>([]);
  const [found, setFound] = useState<Comparison | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [by, baseline, candidate] = [get("by"), get("baseline"), get("candidate")];
  const isAsked = Boolean(by && baseline && candidate);
  useEffect(() => onKeys({ "/": focusFilter, r: refresh, t: () => toggleMenu(TIMES) }), []);
  useEffect(() => {
    setFound(null);
    setProblem(null);
    if (!isAsked) return undefined;
    const own = new AbortController();
    compareTraces({ ...scope.value, by, baseline, candidate }, own.signal).then(setFound, (error: unknown) => {
      if (!own.signal.aborted) setProblem(error instanceof Problem ? error : new Problem(String(error), 0));
    });
    return () => own.abort();
  }, [scope.value, round.value, by, baseline, candidate]);
  return (
    <main class="compare">
      <h1 class="unseen">Compare</h1>
      <FilterBar onFields={setFields} />
      <Chooser fields={fields} by={by} baseline={baseline} candidate={candidate} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard */}
      <section class="found" tabIndex={0} aria-label="Comparison">
        {problem ? (
          <Notice title="The values cannot be compared" isError>
            <p>{problem.message}</p>
          </Notice>
        ) : !isAsked ? (
          <Start fields={fields} />
        ) : found ? (
          <Result found={found} />
        ) : (
          <p class="muted waiting" role="status">
            Comparing…
          </p>
        )}
      </section>
    </main>
  );
}

function Result({ found }: { found: Comparison }) {
  const names: [string, string] = [String(found.baseline.value), String(found.candidate.value)];
  return (
    <>
      {found.in_both > 0 && (
        <p class="muted">{count(found.in_both)} traces have both values and are on neither side.</p>
      )}
      <Measures found={found} />
      {found.distribution && <Latencies found={found.distribution} names={names} />}
      <div class="sides">
        <Examples side={found.baseline} name="baseline" />
        <Examples side={found.candidate} name="candidate" />
      </div>
    </>
  );
}

function Start({ fields }: { fields: Field[] }) {
  return (
    <Notice title="What is to be compared?">
      <p>
        Choose a key and two of its values: two versions, two models, two settings of a flag. Traces with the one are
        compared with traces with the other, in what they took, how often they failed and what they cost.
      </p>
      <ul class="buttons">
        {picksOf(fields).map((each) => (
          <li key={each.by}>
            <button type="button" onClick={() => go({ ...each })}>
              {each.by}: {each.baseline} → {each.candidate}
            </button>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
