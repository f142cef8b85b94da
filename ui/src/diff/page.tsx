/** Two traces side by side: one tree of the spans of both, what differs, and in which order that came about. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get, go } from "../page/address";
import { type Diff, type Pair, type Problem, readDiff, type Trace } from "../page/api";
import { cost, count, duration, moment, oneLine } from "../page/format";
import { onKeys } from "../page/keys";
import { Link } from "../page/link";
import { Notice } from "../page/notice";
import { costOf, StateMark, tokensOf } from "../traces/columns";
import { PairList } from "./pairs";
import { PairPanel } from "./panel";

/** How the address names a pair: the ids of its spans, of which one may be missing. */
export const nameOf = (pair: Pair): string => `${pair.left?.span_id ?? ""}~${pair.right?.span_id ?? ""}`;

const select = (pair: Pair | undefined) => pair && go({ span: nameOf(pair) }, { replace: true });

const AWAY = { with: "", span: "" };

export function DiffPage({ left, right }: { left: string; right: string }) {
  const [diff, setDiff] = useState<Diff | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const own = new AbortController();
    readDiff(left, right, own.signal).then(setDiff, (error) => own.signal.aborted || setProblem(error));
    return () => own.abort();
  }, [left, right]);

  const pairs = diff?.pairs ?? [];
  const first = pairs.find((pair) => pair.place === 1) ?? pairs[0];
  const selected = get("span") || (first ? nameOf(first) : "");
  const at = pairs.findIndex((pair) => nameOf(pair) === selected);
  const now = useRef({ pairs, at });
  now.current = { pairs, at };
  useEffect(() => {
    const move = (by: number) => {
      const { pairs, at } = now.current;
      select(pairs[Math.max(0, Math.min(pairs.length - 1, at + by))]);
    };
    return onKeys({
      Escape: () => go(AWAY),
      j: () => move(1),
      k: () => move(-1),
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      Home: () => select(now.current.pairs[0]),
      End: () => select(now.current.pairs.at(-1)),
      e: () => {
        const { pairs, at } = now.current;
        const wanted = (pairs[at]?.place ?? 0) + 1;
        select(pairs.find((pair) => pair.place === wanted) ?? pairs.find((pair) => pair.place === 1));
      },
    });
  }, []);

  if (problem) {
    return (
      <main class="trace">
        <Notice title="The traces cannot be compared" isError>
          <p>{problem.message}</p>
          <button type="button" onClick={() => go(AWAY)}>
            Back to the trace
          </button>
        </Notice>
      </main>
    );
  }
  if (!diff) return <main class="trace" aria-busy="true" />;
  const differing = pairs.filter((pair) => pair.place !== null).length;
  return (
    <main class="trace diff">
      <header class="about">
        <button type="button" class="quiet" onClick={() => go(AWAY)} title="Back to the trace (Esc)">
          ← Trace
        </button>
        <h1>Two traces</h1>
        <span class="muted" role="status">
          {differing ? `${count(differing)} of ${count(pairs.length)} steps differ` : "No step differs"}
        </span>
        <span class="space" />
        <Link class="button" to={{ trace: right, with: left, span: "" }}>
          Swap
        </Link>
      </header>
      <div class="sides">
        <Side title="Left" trace={diff.left} />
        <Side title="Right" trace={diff.right} />
      </div>
      <div class="panes">
        <section class="pane" aria-label="Steps of both traces">
          <PairList pairs={pairs} at={at} onSelect={select} />
        </section>
        {at >= 0 && <PairPanel traces={[left, right]} pair={pairs[at]} />}
      </div>
    </main>
  );
}

function Side({ title, trace }: { title: string; trace: Trace }) {
  const [tokens, dollars] = [tokensOf(trace), costOf(trace)];
  return (
    <section aria-label={title}>
      <b>{title}</b>
      <Link to={{ trace: trace.trace_id, with: "", span: "" }}>{oneLine(trace.name, 40)}</Link>
      <StateMark state={trace.state} />
      <span class="muted">
        {[
          moment(trace.request_time_ms).slice(0, 19),
          duration(trace.duration_ms),
          tokens === null ? "" : `${count(tokens)} tokens`,
          dollars === null ? "" : cost(dollars),
        ]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </section>
  );
}
