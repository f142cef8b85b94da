/** One session as a conversation: its traces in their order, what was asked and what was answered. */
import { useEffect, useState } from "preact/hooks";
import { equals } from "../filter/compose";
import { go, toPlace } from "../page/address";
import { type Problem, readStats, searchTraces, type Trace } from "../page/api";
import { cost, count, duration, moment, oneLine, time } from "../page/format";
import { onKeys } from "../page/keys";
import { Link } from "../page/link";
import { Notice } from "../page/notice";
import { costOf, StateMark, tokensOf } from "../traces/columns";
import { looksLikeMarkdown, Markdown } from "../values/markdown";
import { spoken } from "../values/spoken";
import { Text } from "../values/text";

const PAGE = 50;
const METRICS = ["count", "errors", "total_tokens", "cost"];
const BACK = toPlace("sessions");

export function ConversationPage({ id }: { id: string }) {
  const [turns, setTurns] = useState<Trace[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [isThere, setThere] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [numbers, setNumbers] = useState<(number | null)[]>([]);
  const filter = equals("attributes.session", id);
  const read = (after: string | null, signal?: AbortSignal) =>
    searchTraces({ filter, order_by: ["timestamp_ms ASC"], limit: PAGE, cursor: after }, signal).then(
      (page) => {
        setTurns((known) => (after ? [...known, ...page.traces] : page.traces));
        setCursor(page.cursor);
        setThere(true);
      },
      (error) => signal?.aborted || setProblem(error),
    );
  useEffect(() => {
    const own = new AbortController();
    void read(null, own.signal);
    readStats({ filter, metrics: METRICS }, own.signal).then(
      (found) => setNumbers((found.rows[0] ?? []) as (number | null)[]),
      () => undefined, // the conversation tells what is wrong
    );
    return () => own.abort();
  }, [id]);
  useEffect(() => onKeys({ Escape: () => go(BACK) }), []);

  const [all, errors, tokens, dollars] = numbers;
  const facts: [string, string | null][] = [
    ["Turns", all ? count(all) : null],
    ["Errors", errors ? count(errors) : null],
    ["Tokens", tokens ? count(tokens) : null],
    ["Cost", dollars ? cost(dollars) : null],
    ["Began", turns.length ? moment(turns[0].request_time_ms).slice(0, 16) : null],
  ];
  return (
    <main class="conversation">
      <header class="about">
        <button type="button" class="quiet" onClick={() => go(BACK)} title="All sessions (Esc)">
          ← Sessions
        </button>
        <h1>{oneLine(id, 60)}</h1>
        <dl class="facts">
          {facts
            .filter(([, value]) => value !== null)
            .map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
        </dl>
        <span class="space" />
        <Link to={{ ...toPlace(""), filter }}>As a table</Link>
      </header>
      {problem && (
        <Notice title="The session cannot be shown" isError>
          <p>{problem.message}</p>
        </Notice>
      )}
      {isThere && !turns.length && (
        <Notice title="No such session">
          <p>No trace in the store is of the session {oneLine(id, 60)}.</p>
          <button type="button" onClick={() => go(BACK)}>
            All sessions
          </button>
        </Notice>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard */}
      <section class="turns" aria-label="Conversation" tabIndex={0}>
        <ol>
          {turns.map((trace) => (
            <Turn key={trace.trace_id} trace={trace} />
          ))}
        </ol>
        {cursor && (
          <p class="more">
            <button type="button" onClick={() => void read(cursor)}>
              Show more
            </button>
          </p>
        )}
      </section>
    </main>
  );
}

function Turn({ trace }: { trace: Trace }) {
  const [tokens, dollars] = [tokensOf(trace), costOf(trace)];
  const user = trace.metadata["mlflow.trace.user"];
  return (
    <li>
      <header>
        <Link to={{ trace: trace.trace_id }}>{oneLine(trace.name, 60)}</Link>
        <StateMark state={trace.state} />
        <span class="muted">
          {[
            time(trace.request_time_ms),
            duration(trace.duration_ms),
            tokens === null ? "" : `${count(tokens)} tokens`,
            dollars === null ? "" : cost(dollars),
          ]
            .filter(Boolean)
            .join(" · ")}
        </span>
      </header>
      <Said who={user ? oneLine(user, 40) : "Input"} preview={trace.request_preview} isUser />
      <Said who="Output" preview={trace.response_preview} />
    </li>
  );
}

function Said({ who, preview, isUser = false }: { who: string; preview: string | null; isUser?: boolean }) {
  if (preview === null) return null;
  const text = spoken(preview);
  return (
    <div class={isUser ? "said-by user" : "said-by"}>
      <h2>{who}</h2>
      {looksLikeMarkdown(text) ? <Markdown text={text} /> : <Text text={text} />}
    </div>
  );
}
