/** Measures as people read them. */
import { cost, count, duration, percent } from "../page/format";
import type { Measure } from "./api";

export const TITLES: Record<string, string> = {
  error_rate: "Error rate",
  p50: "Latency p50",
  p95: "Latency p95",
  p99: "Latency p99",
  latency_mean: "Latency, mean",
  input_tokens: "Input tokens",
  output_tokens: "Output tokens",
  cost: "Cost",
};

const tokens = (value: number) => (value < 100 ? value.toFixed(1) : count(value));

const SHOWN: Record<Measure["unit"], (value: number) => string> = {
  share: percent,
  ms: (value) => duration(value < 1_000 ? Math.round(value) : value),
  tokens,
  USD: cost,
};

export const shown = (measure: Measure, value: number | null): string =>
  value === null ? "–" : SHOWN[measure.unit](value);

/** A difference with its sign; of two percentages it is in points. */
export function signed(measure: Measure, value: number): string {
  const size = Math.abs(value);
  const text = measure.unit === "share" ? `${(size * 100).toFixed(1)} points` : SHOWN[measure.unit](size);
  return `${value < 0 ? "−" : "+"}${text}`;
}

export const differs = ({ interval }: Measure): boolean => interval !== null && (interval.low > 0 || interval.high < 0);
