/** What differs between the two spans that are selected: each place, and both values whole. */
import { useEffect, useState } from "preact/hooks";
import { type DiffedValue, type Pair, type Problem, readSpanDiff, type Span, type SpanDiff } from "../page/api";
import { duration, oneLine, visible } from "../page/format";
import { Notice } from "../page/notice";
import { TypeMark } from "../trace/type-mark";
import { Value } from "../values/value";
import { lookOf } from "./pairs";

const LONGEST = 2_000;

export function PairPanel({ traces, pair }: { traces: [string, string]; pair: Pair }) {
  const [found, setFound] = useState<SpanDiff | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { left, right } = pair;
  useEffect(() => {
    const own = new AbortController();
    const spans = { ...(left && { left: left.span_id }), ...(right && { right: right.span_id }) };
    readSpanDiff(traces, spans, own.signal).then(
      (read) => {
        setFound(read);
        setProblem(null);
      },
      (error) => own.signal.aborted || setProblem(error),
    );
    return () => own.abort();
  }, [traces[0], traces[1], left?.span_id, right?.span_id]);

  if (problem) {
    return (
      <Notice title="The spans cannot be shown" isError>
        <p>{problem.message}</p>
      </Notice>
    );
  }
  const span = right ?? left;
  if (!found || !span) return <div class="panel" aria-busy="true" />;
  const told = lookOf(pair).told;
  return (
    <section class="panel" aria-label="Both spans">
      <header>
        <h2>
          <TypeMark type={span.type} /> {oneLine(span.name, 200)}
        </h2>
        <dl class="facts">
          <div>
            <dt>Differs</dt>
            <dd>{told || "not"}</dd>
          </div>
          <div>
            <dt>Took</dt>
            <dd>{[left, right].map((each) => (each ? duration(each.duration_ms) : "–")).join(" → ")}</dd>
          </div>
        </dl>
      </header>
      <div class="tab">
        <Places title="Inputs" values={found.inputs} />
        <Places title="Outputs" values={found.outputs} />
        <Failures spans={[found.left, found.right]} />
        <div class="two">
          <Whole title="Left" span={found.left} />
          <Whole title="Right" span={found.right} />
        </div>
      </div>
    </section>
  );
}

/** The places at which two values differ, a row each. */
function Places({ title, values }: { title: string; values: DiffedValue[] }) {
  if (!values.length) return null;
  const shown = (value: unknown, isThere: boolean) => {
    if (!isThere) return <em class="muted">nothing</em>;
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    return visible(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
  };
  return (
    <section class="places-of-difference">
      <h3>{title} differ</h3>
      <table>
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">Left</th>
            <th scope="col">Right</th>
          </tr>
        </thead>
        <tbody>
          {values.map((each) => (
            <tr key={each.path}>
              <th scope="row">{visible(each.path) || "all of it"}</th>
              <td class="gone">{shown(each.left, each.in_left)}</td>
              <td class="added">{shown(each.right, each.in_right)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Failures({ spans }: { spans: (Span | null)[] }) {
  const [left, right] = spans.map((span) => span?.status_message ?? "");
  if (left === right) return null;
  const value = { path: "status", left, right, in_left: left !== "", in_right: right !== "" };
  return <Places title="Errors" values={[value]} />;
}

function Whole({ title, span }: { title: string; span: Span | null }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {span === null && <p class="muted">This step is not in this trace.</p>}
      {span !== null && span.inputs !== null && <Value title="Inputs" value={span.inputs} />}
      {span !== null && span.outputs !== null && <Value title="Outputs" value={span.outputs} />}
      {span !== null && span.inputs === null && span.outputs === null && (
        <p class="muted">It recorded no inputs and no outputs.</p>
      )}
    </section>
  );
}
