/** What the server says of two values of a key. */
import { ask, type Scope } from "../page/api";

export interface Interval {
  low: number;
  high: number;
}

export interface Estimate {
  value: number | null;
  count: number;
  interval: Interval | null;
}

export interface Measure {
  name: string;
  unit: "share" | "ms" | "tokens" | "USD";
  method: string;
  baseline: Estimate;
  candidate: Estimate;
  difference: number | null;
  interval: Interval | null;
  note: string | null;
}

export interface Example {
  trace_id: string;
  name: string;
  state: string;
  request_time_ms: number;
  duration_ms: number | null;
  request_preview: string | null;
}

export interface Side {
  value: string | number | boolean | null;
  filter: string;
  count: number;
  read: number;
  slowest: Example[];
  failing: Example[];
  typical: Example[];
}

export interface Distribution {
  edges_ms: number[];
  baseline: number[];
  candidate: number[];
}

export interface Comparison {
  by: string;
  level: number;
  baseline: Side;
  candidate: Side;
  in_both: number;
  measures: Measure[];
  distribution: Distribution | null;
}

export const compareTraces = (
  asked: Scope & { by: string; baseline: string; candidate: string },
  signal: AbortSignal,
) => ask<Comparison>("POST", "/traces/compare", asked, signal);
