/** What the server is asked, and the shapes of its answers (`/api/v1/openapi.json` describes them). */

export interface Assessment {
  assessment_id: string;
  kind: "feedback" | "expectation" | "issue";
  name: string;
  value: unknown;
  error: { error_code: string; error_message: string | null } | null;
  source: { source_type: string; source_id: string | null };
  rationale: string | null;
  span_id: string | null;
  create_time_ms: number;
  valid: boolean | null;
}

export type State = "OK" | "ERROR" | "IN_PROGRESS" | "STATE_UNSPECIFIED";

export interface Trace {
  trace_id: string;
  experiment_id: string;
  name: string;
  state: State;
  request_time_ms: number;
  duration_ms: number | null;
  request_preview: string | null;
  response_preview: string | null;
  metadata: Record<string, string>;
  tags: Record<string, string>;
  assessments: Assessment[];
}

export interface OutlinedSpan {
  span_id: string;
  parent_id: string | null;
  name: string;
  type: string | null;
  status: "OK" | "ERROR" | "UNSET";
  start_ms: number;
  duration_ms: number | null;
  model: string | null;
  tokens: number | null;
  cost: number | null;
}

export interface Outline {
  trace: Trace;
  start_time_ns: string;
  spans: OutlinedSpan[];
}

export interface SpanEvent {
  name: string;
  time_ns: string;
  attributes: Record<string, unknown>;
}

export interface Span {
  span_id: string;
  name: string;
  type: string | null;
  kind: string;
  status: string;
  status_message: string;
  start_time_ns: string;
  end_time_ns: string | null;
  inputs: unknown;
  outputs: unknown;
  attributes: Record<string, unknown>;
  events: SpanEvent[];
  links: { trace_id: string; span_id: string }[];
}

export interface Scope {
  filter?: string;
  experiments?: string[];
  since_ms?: number;
  until_ms?: number;
}

export interface Field {
  field: string;
  kind: string;
  values: string[];
}

export interface Facet {
  field: string;
  values: { value: string | null; count: number }[];
  others: number;
}

export interface Facets {
  /** How many traces were counted, the newest ones; whether these are all. */
  traces: number;
  is_all: boolean;
  facets: Facet[];
}

export interface Group {
  value: string;
  last: Trace;
}

export interface DiffedSpan {
  span_id: string;
  name: string;
  type: string | null;
  status: "OK" | "ERROR" | "UNSET";
  start_ms: number;
  duration_ms: number | null;
}

export interface Pair {
  left: DiffedSpan | null;
  right: DiffedSpan | null;
  depth: number;
  below: number;
  differences: string[];
  /** In which order the pairs came to differ, from 1. */
  place: number | null;
  is_slower: boolean | null;
  was_moved: boolean;
}

export interface Diff {
  left: Trace;
  right: Trace;
  pairs: Pair[];
}

export interface DiffedValue {
  path: string;
  left: unknown;
  right: unknown;
  in_left: boolean;
  in_right: boolean;
}

export interface SpanDiff {
  left: Span | null;
  right: Span | null;
  inputs: DiffedValue[];
  outputs: DiffedValue[];
}

export interface Stats {
  groups: string[];
  metrics: string[];
  rows: (string | number | null)[][];
  /** The metrics of all rows together, where that was asked for. */
  total: (number | null)[] | null;
}

export interface NewAssessment {
  kind: string;
  name: string;
  value: unknown;
  rationale?: string;
  span_id?: string;
}

export interface FilterPlace {
  text: string;
  start: number;
  end: number;
  corrected?: string | null;
}

/** Why there is no answer, in the server's own words. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly place?: FilterPlace,
  ) {
    super(message);
  }
}

const UNREACHABLE = "The server does not answer. Is `tracehound ui` still running?";

export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const request: RequestInit = { method, signal };
  if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  const response = await fetch(`/api/v1${path}`, request).catch((error: unknown) => {
    throw signal?.aborted ? error : new Problem(UNREACHABLE, 0);
  });
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Problem(answer?.detail ?? `The server answers ${response.status}.`, response.status, answer?.filter);
  }
  return answer as T;
}

const traceAt = (id: string) => `/traces/${encodeURIComponent(id)}`;

export const searchTraces = (
  asked: Scope & { order_by?: string[]; limit: number; cursor?: string | null },
  signal?: AbortSignal,
) =>
  ask<{ traces: { trace: Trace }[]; next_cursor: string | null }>("POST", "/traces/search", asked, signal).then(
    (page) => ({ traces: page.traces.map((each) => each.trace), cursor: page.next_cursor }),
  );

export const readStats = (
  asked: Scope & {
    group_by?: string[];
    interval?: string;
    metrics: string[];
    time_zone?: string;
    limit?: number;
    timeout_s?: number;
    total?: boolean;
  },
  signal?: AbortSignal,
) => ask<Stats>("POST", "/traces/stats", asked, signal);

export const countFacets = (asked: Scope & { fields: string[]; values: number }, signal?: AbortSignal) =>
  ask<Facets>("POST", "/traces/facets", asked, signal);

export const searchGroups = (
  asked: Scope & { field: string; limit: number; cursor?: string | null },
  signal?: AbortSignal,
) => ask<{ groups: Group[]; next_cursor: string | null }>("POST", "/traces/groups", asked, signal);

export const readDiff = (left: string, right: string, signal?: AbortSignal) =>
  ask<Diff>("GET", `${traceAt(left)}/diff/${encodeURIComponent(right)}`, undefined, signal);

export const readSpanDiff = (traces: [string, string], spans: Record<string, string>, signal?: AbortSignal) =>
  ask<SpanDiff>(
    "GET",
    `${traceAt(traces[0])}/diff/${encodeURIComponent(traces[1])}/span?${new URLSearchParams(spans)}`,
    undefined,
    signal,
  );

export const searchFields = (asked: Scope) =>
  ask<{ fields: Field[] }>("POST", "/fields/search", asked).then((page) => page.fields);

export const readExperiments = () =>
  ask<{ experiments: { experiment_id: string; name: string }[] }>("POST", "/experiments/search", {}).then(
    (page) => page.experiments,
  );

export const readOutline = (id: string, signal?: AbortSignal) =>
  ask<Outline>("GET", `${traceAt(id)}/outline`, undefined, signal);

export const readSpan = (id: string, span: string, signal?: AbortSignal) =>
  ask<Span>("GET", `${traceAt(id)}/spans/${encodeURIComponent(span)}`, undefined, signal);

export const findInTrace = (id: string, text: string, signal?: AbortSignal) =>
  ask<{ span_ids: string[] }>("GET", `${traceAt(id)}/matches?text=${encodeURIComponent(text)}`, undefined, signal).then(
    (found) => new Set(found.span_ids),
  );

export const putTag = (id: string, key: string, value: string) =>
  ask("PUT", `${traceAt(id)}/tags/${encodeURIComponent(key)}`, { value });

export const deleteTag = (id: string, key: string) => ask("DELETE", `${traceAt(id)}/tags/${encodeURIComponent(key)}`);

export const addAssessment = (id: string, said: NewAssessment) =>
  ask<Assessment>("POST", `${traceAt(id)}/assessments`, { ...said, source: { source_type: "HUMAN" } });

export const changeAssessment = (id: string, assessment: string, value: unknown, rationale?: string) =>
  ask<Assessment>("PATCH", `${traceAt(id)}/assessments/${encodeURIComponent(assessment)}`, { value, rationale });

export const deleteAssessment = (id: string, assessment: string) =>
  ask("DELETE", `${traceAt(id)}/assessments/${encodeURIComponent(assessment)}`);
