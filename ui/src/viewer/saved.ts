/** How a trace lies in a file (`model/saved.py` writes it), as what the page shows of it. */
import type { Assessment, Outline, OutlinedSpan, Span, SpanEvent, Trace } from "../page/api";

/** The values are JSON texts, as they were captured: they are decoded when somebody looks at them. */
type Texts = Record<string, string>;

interface SavedEvent {
  name: string;
  time_ns: string;
  attributes: Texts;
}

export interface SavedSpan {
  span_id: string;
  parent_id: string | null;
  name: string;
  type: string | null;
  kind: string;
  status: "OK" | "ERROR" | "UNSET";
  status_message: string;
  start_time_ns: string;
  end_time_ns: string | null;
  inputs: string | null;
  outputs: string | null;
  attributes: Texts;
  events: SavedEvent[];
  links: { trace_id: string; span_id: string; attributes: Texts }[];
}

interface SavedAssessment extends Omit<Partial<Assessment>, "source"> {
  assessment_name: string;
  create_time: string;
  source: { source_type: string; source_id?: string };
  feedback?: { value?: unknown; error?: { error_code: string; error_message?: string } };
  expectation?: { value?: unknown; serialized_value?: { value: string } };
  issue?: { issue_name: string };
}

/** A trace without its spans, and where these are: a line of a block. */
export interface SavedTrace {
  trace: Omit<Trace, "assessments"> & { assessments: SavedAssessment[] };
  block: number;
  line: number;
}

/** What a JSON text holds; a text that is no JSON is a value itself. */
function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const decodedAll = (texts: Texts): Record<string, unknown> =>
  Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, decoded(text)]));

const msBetween = (from_ns: string, to_ns: string): number => Number(BigInt(to_ns) - BigInt(from_ns)) / 1e6;

export const toTrace = ({ trace }: SavedTrace): Trace => ({
  ...trace,
  assessments: trace.assessments.map(toAssessment),
});

function toAssessment(saved: SavedAssessment): Assessment {
  const { feedback, expectation, issue, source } = saved;
  const [kind, value] = issue
    ? (["issue", issue.issue_name] as const)
    : expectation
      ? ([
          "expectation",
          expectation.serialized_value ? decoded(expectation.serialized_value.value) : expectation.value,
        ] as const)
      : (["feedback", feedback?.value ?? null] as const);
  return {
    assessment_id: saved.assessment_id ?? "",
    kind,
    name: saved.assessment_name,
    value,
    error: feedback?.error ? { error_message: null, ...feedback.error } : null,
    source: { source_id: null, ...source },
    rationale: saved.rationale ?? null,
    span_id: saved.span_id ?? null,
    create_time_ms: Date.parse(saved.create_time),
    valid: saved.valid ?? null,
  };
}

export function toOutline(trace: Trace, spans: SavedSpan[]): Outline {
  let first = spans.length ? spans[0].start_time_ns : String(trace.request_time_ms * 1e6);
  // Times of one age have as many digits, so that they can be compared as texts.
  for (const { start_time_ns: start } of spans)
    if (start.length < first.length || (start.length === first.length && start < first)) first = start;
  return { trace, start_time_ns: first, spans: spans.map((span) => toOutlined(span, first)) };
}

function toOutlined(span: SavedSpan, first_ns: string): OutlinedSpan {
  const model = decoded(span.attributes["mlflow.llm.model"] ?? "null");
  return {
    span_id: span.span_id,
    parent_id: span.parent_id,
    name: span.name,
    type: span.type,
    status: span.status,
    start_ms: msBetween(first_ns, span.start_time_ns),
    duration_ms: span.end_time_ns === null ? null : msBetween(span.start_time_ns, span.end_time_ns),
    model: typeof model === "string" ? model : null,
    tokens: numberIn(span.attributes["mlflow.chat.tokenUsage"], "total_tokens"),
    cost: numberIn(span.attributes["mlflow.llm.cost"], "total_cost"),
  };
}

function numberIn(text: string | undefined, key: string): number | null {
  const value = text === undefined ? null : decoded(text);
  const found = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : null;
  return typeof found === "number" ? found : null;
}

export const toSpan = (saved: SavedSpan): Span => ({
  ...saved,
  inputs: saved.inputs === null ? null : decoded(saved.inputs),
  outputs: saved.outputs === null ? null : decoded(saved.outputs),
  attributes: decodedAll(saved.attributes),
  events: saved.events.map((each): SpanEvent => ({ ...each, attributes: decodedAll(each.attributes) })),
});

/** All texts of a span that are looked through when somebody looks for one. */
export const textsOf = (span: SavedSpan): string[] => [
  span.name,
  span.status_message,
  span.inputs ?? "",
  span.outputs ?? "",
  ...Object.values(span.attributes),
  ...span.events.flatMap((event) => [event.name, ...Object.values(event.attributes)]),
];
