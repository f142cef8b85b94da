/** One trace: its spans as tree, waterfall or flame, and what the selected one holds. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ChooseOther, openChoice } from "../diff/choose";
import { added, equals } from "../filter/compose";
import { get, go } from "../page/address";
import type { Trace } from "../page/api";
import { Copy } from "../page/copy";
import { cost, count, duration, moment, oneLine } from "../page/format";
import { onKeys } from "../page/keys";
import { Link } from "../page/link";
import { Notice } from "../page/notice";
import { source } from "../page/source";
import { choose, chosen } from "../traces/chosen";
import { costOf, StateMark, tokensOf } from "../traces/columns";
import { readMore, rows } from "../traces/rows";
import { Flame } from "./flame";
import { open, outline, problem } from "./open";
import { SpanPanel } from "./span-panel";
import { lengthOf, type Node, toTree } from "./tree";
import { select, Waterfall } from "./waterfall";

const VIEWS = ["waterfall", "tree", "flame"];
const AWAY = { trace: "", span: "", view: "", find: "" };
const SOON_MS = 200;

/** Open the trace that stands so many rows below the present one in the table. */
function step(by: number): void {
  const known = rows.peek().findIndex((each) => each.trace_id === get("trace"));
  const next = rows.peek()[(known < 0 ? chosen.peek() : known) + by];
  if (!next) {
    readMore();
    return;
  }
  choose(rows.peek().indexOf(next));
  go({ trace: next.trace_id, span: "" });
}

export function TracePage({ id }: { id: string }) {
  useEffect(() => void open(id), [id]);
  const found = outline.value?.trace.trace_id === id ? outline.value : null;
  const nodes = useMemo(() => toTree(found?.spans ?? []), [found]);
  const length_ms = useMemo(() => lengthOf(found?.spans ?? []), [found]);
  const selected = get("span") || nodes[0]?.span.span_id || "";
  const view = VIEWS.includes(get("view")) ? get("view") : VIEWS[0];
  const matches = useMatches(id, get("find"));
  const now = useRef({ nodes, selected, matches });
  now.current = { nodes, selected, matches };

  useEffect(
    () =>
      onKeys({
        Escape: () => go(AWAY),
        n: () => step(1),
        ...(source.isServer && { x: openChoice }),
        p: () => step(-1),
        v: () => go({ view: VIEWS[(VIEWS.indexOf(get("view") || VIEWS[0]) + 1) % VIEWS.length] }, { replace: true }),
        e: () => selectNext(now.current.nodes, now.current.selected, (node) => node.span.status === "ERROR"),
        Enter: () =>
          selectNext(
            now.current.nodes,
            now.current.selected,
            (node) => now.current.matches?.has(node.span.span_id) ?? false,
          ),
        "/": () => document.querySelector<HTMLInputElement>("#find")?.focus(),
      }),
    [],
  );

  if (problem.value && !found) {
    return (
      <main class="trace">
        <Notice title="The trace cannot be shown" isError>
          <p>{problem.value.message}</p>
          <button type="button" onClick={() => go(AWAY)}>
            All traces
          </button>
        </Notice>
      </main>
    );
  }
  if (!found) return <main class="trace" aria-busy="true" />;
  const props = { nodes, length_ms, selected };
  return (
    <main class="trace">
      <Head trace={found.trace} />
      <div class="panes">
        <section class="pane" aria-label="Spans of the trace">
          <div class="tools">
            <input
              id="find"
              type="search"
              class="small"
              placeholder="Find in this trace"
              aria-label="Find in this trace"
              value={get("find")}
              onInput={(event) => go({ find: event.currentTarget.value }, { replace: true })}
              onKeyDown={(event) => {
                if (event.key === "Enter")
                  selectNext(nodes, selected, (node) => matches?.has(node.span.span_id) ?? false);
              }}
            />
            <span class="muted" role="status">
              {matches ? `${count(matches.size)} of ${count(nodes.length)}` : `${count(nodes.length)} spans`}
            </span>
            <span class="space" />
            <fieldset class="forms">
              <legend class="unseen">Spans as</legend>
              {VIEWS.map((name) => (
                <button
                  key={name}
                  type="button"
                  class="plain"
                  aria-pressed={name === view}
                  onClick={() => go({ view: name }, { replace: true })}
                >
                  {name}
                </button>
              ))}
            </fieldset>
          </div>
          {view === "flame" ? (
            <Flame {...props} />
          ) : (
            <Waterfall {...props} matches={matches} isTree={view === "tree"} />
          )}
        </section>
        <SpanPanel trace={found.trace} id={selected} onChange={() => void open(id)} />
      </div>
    </main>
  );
}

/** The spans that hold a text; null where none is looked for. */
function useMatches(trace: string, text: string): ReadonlySet<string> | null {
  const [matches, setMatches] = useState<ReadonlySet<string> | null>(null);
  useEffect(() => {
    if (!text) {
      setMatches(null);
      return undefined;
    }
    const own = new AbortController();
    const timer = setTimeout(() => {
      source.findInTrace(trace, text, own.signal).then(setMatches, () => undefined); // the next letter asks again
    }, SOON_MS);
    return () => {
      clearTimeout(timer);
      own.abort();
    };
  }, [trace, text, outline.value]);
  return matches;
}

function selectNext(nodes: Node[], selected: string, isWanted: (node: Node) => boolean): void {
  const at = nodes.findIndex((node) => node.span.span_id === selected);
  const next = [...nodes.slice(at + 1), ...nodes.slice(0, at + 1)].find(isWanted);
  if (next) select(next.span.span_id);
}

function Head({ trace }: { trace: Trace }) {
  const [tokens, dollars] = [tokensOf(trace), costOf(trace)];
  const facts: [string, string | null][] = [
    ["Began", moment(trace.request_time_ms).slice(0, 19)],
    ["Took", duration(trace.duration_ms)],
    ["Tokens", tokens === null ? null : count(tokens)],
    ["Cost", dollars === null ? null : cost(dollars)],
    ["User", trace.metadata["mlflow.trace.user"] ?? null],
  ];
  const session = trace.metadata["mlflow.trace.session"];
  const hasOthers = source.isServer || rows.value.length > 1;
  const like = () => {
    const same = equals("attributes.name", trace.name);
    go({ ...AWAY, filter: trace.state === "ERROR" ? added(same, equals("attributes.status", "ERROR")) : same });
  };
  return (
    <header class="about">
      {hasOthers && (
        <button type="button" class="quiet" onClick={() => go(AWAY)} title="All traces (Esc)">
          ← Traces
        </button>
      )}
      <h1>{oneLine(trace.name, 48)}</h1>
      <StateMark state={trace.state} />
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== null)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{oneLine(value ?? "", 24)}</dd>
            </div>
          ))}
        {session && (
          <div>
            <dt>Session</dt>
            <dd>
              {source.isServer ? <Link to={{ ...AWAY, session }}>{oneLine(session, 24)}</Link> : oneLine(session, 24)}
            </dd>
          </div>
        )}
      </dl>
      <span class="space" />
      <Copy text={() => trace.trace_id} label="Copy id" />
      {source.isServer && (
        <>
          <ChooseOther trace={trace} />
          <button type="button" class="quiet" onClick={like}>
            Similar traces
          </button>
        </>
      )}
      {hasOthers && (
        <span class="steps">
          <button type="button" class="quiet" title="Previous trace (p)" onClick={() => step(-1)}>
            ↑<span class="unseen"> Previous trace</span>
          </button>
          <button type="button" class="quiet" title="Next trace (n)" onClick={() => step(1)}>
            ↓<span class="unseen"> Next trace</span>
          </button>
        </span>
      )}
    </header>
  );
}
