/** What is known of the span that is selected, and of its trace. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Problem, Span, SpanEvent, Trace } from "../page/api";
import { Copy } from "../page/copy";
import { count, duration, moment, oneLine, visible } from "../page/format";
import { Notice } from "../page/notice";
import { source } from "../page/source";
import { tagsOf } from "../traces/columns";
import { JsonView } from "../values/json";
import { Text } from "../values/text";
import { Value } from "../values/value";
import { FeedbackList } from "./feedback";
import { edition } from "./open";
import { Pairs, Tags } from "./tags";
import { TypeMark } from "./type-mark";

const msOf = (ns: string): number => Number(BigInt(ns) / 1_000_000n);
const lengthOf = (span: Span): number | null =>
  span.end_time_ns === null ? null : Number(BigInt(span.end_time_ns) - BigInt(span.start_time_ns)) / 1e6;

interface TabProps {
  trace: Trace;
  span: Span;
  onChange: () => void;
}

interface Tab {
  name: string;
  size?: (props: TabProps) => number;
  show: (props: TabProps) => preact.ComponentChildren;
}

const isUsage = (key: string) => key === "mlflow.chat.tokenUsage";

const TABS: Tab[] = [
  { name: "Values", show: ({ span }) => <Values span={span} /> },
  {
    name: "Attributes",
    size: ({ span }) => Object.keys(span.attributes).length,
    show: ({ span }) => <JsonView value={span.attributes} />,
  },
  { name: "Events", size: ({ span }) => span.events.length, show: ({ span }) => <Events span={span} /> },
  {
    name: "Feedback",
    size: ({ trace }) => trace.assessments.length,
    show: ({ trace, onChange }) => (
      <FeedbackList trace={trace.trace_id} assessments={trace.assessments} onChange={onChange} />
    ),
  },
  {
    name: "Trace",
    show: ({ trace, onChange }) => (
      <>
        {source.isServer ? <Tags trace={trace} onChange={onChange} /> : <Pairs title="Tags" pairs={tagsOf(trace)} />}
        <Pairs title="Metadata" pairs={Object.entries(trace.metadata)} />
      </>
    ),
  },
];

/** The tab that is open: it stays so from span to span, and from trace to trace. */
const tab = signal(TABS[0].name);

export function SpanPanel({ trace, id, onChange }: { trace: Trace; id: string; onChange: () => void }) {
  const [span, setSpan] = useState<Span | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    if (!id) return undefined;
    const own = new AbortController();
    source.readSpan(trace.trace_id, id, own.signal).then(
      (found) => {
        setSpan(found);
        setProblem(null);
      },
      (error) => own.signal.aborted || setProblem(error),
    );
    return () => own.abort();
  }, [trace.trace_id, id, edition.value]);

  if (problem) {
    return (
      <Notice title="The span cannot be shown" isError>
        <p>{problem.message}</p>
      </Notice>
    );
  }
  if (!span) return <div class="panel" aria-busy="true" />;
  const props = { trace, span, onChange };
  const shown = TABS.find((each) => each.name === tab.value) ?? TABS[0];
  return (
    <section class="panel" aria-label="Span">
      <header>
        <h2>
          <TypeMark type={span.type} /> {oneLine(span.name, 200)}
        </h2>
        <Facts span={span} />
      </header>
      <div class="tabs" role="tablist" aria-label="Of this span">
        {TABS.map((each) => (
          <button
            key={each.name}
            type="button"
            role="tab"
            class="plain"
            aria-selected={each === shown}
            onClick={() => {
              tab.value = each.name;
            }}
          >
            {each.name}
            {each.size && <span class="muted"> {each.size(props)}</span>}
          </button>
        ))}
      </div>
      <div class="tab" role="tabpanel" aria-label={shown.name} key={`${span.span_id} ${shown.name}`}>
        {shown.show(props)}
      </div>
    </section>
  );
}

function Facts({ span }: { span: Span }) {
  const usage = Object.entries(span.attributes).find(([key]) => isUsage(key))?.[1] as
    | Record<string, number>
    | undefined;
  const model = span.attributes["mlflow.llm.model"];
  const facts: [string, string | null][] = [
    ["Status", span.status],
    ["Began", moment(msOf(span.start_time_ns))],
    ["Took", duration(lengthOf(span))],
    ["Model", typeof model === "string" ? model : null],
    ["Tokens in", usage?.input_tokens === undefined ? null : count(usage.input_tokens)],
    ["Tokens out", usage?.output_tokens === undefined ? null : count(usage.output_tokens)],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={value === "ERROR" ? "error" : ""}>{visible(value ?? "")}</dd>
          </div>
        ))}
    </dl>
  );
}

function Values({ span }: { span: Span }) {
  const exceptions = span.events.filter((event) => event.name === "exception");
  const isNothing = span.inputs === null && span.outputs === null && !exceptions.length && !span.status_message;
  return (
    <>
      {exceptions.map((event) => (
        <Exception key={event.time_ns} event={event} />
      ))}
      {!exceptions.length && span.status_message && <p class="failure">{visible(span.status_message)}</p>}
      {span.inputs !== null && <Value title="Inputs" value={span.inputs} />}
      {span.outputs !== null && <Value title="Outputs" value={span.outputs} />}
      {isNothing && <p class="muted">This span recorded no inputs and no outputs.</p>}
    </>
  );
}

function Exception({ event }: { event: SpanEvent }) {
  const told = (key: string) => String(event.attributes[`exception.${key}`] ?? "");
  return (
    <section class="failure">
      <h3>
        {visible(told("type"))} <Copy text={() => told("stacktrace") || told("message")} label="Copy the stack" />
      </h3>
      <Text text={told("message")} />
      {told("stacktrace") && (
        <details>
          <summary>Stack</summary>
          <Text text={told("stacktrace")} />
        </details>
      )}
    </section>
  );
}

function Events({ span }: { span: Span }) {
  if (!span.events.length) return <p class="muted">Nothing was recorded during this span.</p>;
  const start = BigInt(span.start_time_ns);
  return (
    <ol class="events">
      {span.events.map((event, index) => (
        <li key={index}>
          <h4>
            {oneLine(event.name, 120)}{" "}
            <span class="muted">+{duration(Number(BigInt(event.time_ns) - start) / 1e6)}</span>
          </h4>
          <JsonView value={event.attributes} />
        </li>
      ))}
    </ol>
  );
}
