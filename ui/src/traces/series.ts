/** Numbers over time: what the charts above the table show. */
import { added } from "../filter/compose";
import { readStats, type Scope, searchTraces } from "../page/api";
import { intervalFor } from "../page/times";

export interface Series {
  /** The starts of the periods, in seconds since the epoch, every one there is. */
  times: number[];
  length_s: number;
  states: Record<string, number[]>;
  /** By the name of the metric; null where a period has none. */
  metrics: Record<string, (number | null)[]>;
  /** The same of all traces together, and how many there are by state. */
  overall: Record<string, number | null>;
}

const METRICS = ["count", "errors", "p50", "p95", "p99", "error_rate", "input_tokens", "output_tokens", "cost"];

// A filter that the index does not help is asked of each trace: nobody waits for that longer, nor does the server.
export const LONGEST_S = 10;

const [COUNT, ERRORS] = [METRICS.indexOf("count"), METRICS.indexOf("errors")];
const UNFINISHED = "attributes.status LIKE '%S%'"; // IN_PROGRESS and STATE_UNSPECIFIED: the index leads to these

async function startOf(scope: Scope, signal: AbortSignal): Promise<number | null> {
  if (scope.since_ms !== undefined) return scope.since_ms;
  const [oldest] = (await searchTraces({ ...scope, order_by: ["timestamp_ms ASC"], limit: 1 }, signal)).traces;
  return oldest?.request_time_ms ?? null;
}

async function endOf(scope: Scope, signal: AbortSignal): Promise<number> {
  if (scope.until_ms !== undefined) return scope.until_ms;
  if (scope.since_ms !== undefined) return Date.now();
  const [newest] = (await searchTraces({ ...scope, limit: 1 }, signal)).traces;
  return newest?.request_time_ms ?? Date.now();
}

/** Read the numbers of the traces in a scope; null where there are none. */
export async function readSeries(scope: Scope, signal: AbortSignal): Promise<Series | null> {
  const start_ms = await startOf(scope, signal);
  if (start_ms === null) return null;
  const end_ms = await endOf(scope, signal);
  const [interval, length_ms] = intervalFor(end_ms - start_ms);
  const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // The store keeps up counts and errors by the hour, states it does not: those that are neither are few, and soon found.
  const unfinished = { ...scope, filter: added(scope.filter ?? "", UNFINISHED) };
  const [measured, counted] = await Promise.all([
    readStats({ ...scope, interval, metrics: METRICS, time_zone, timeout_s: LONGEST_S, total: true }, signal),
    readStats(
      { ...unfinished, timeout_s: LONGEST_S, group_by: ["status"], interval, metrics: ["count"], time_zone },
      signal,
    ),
  ]);
  const seconds = (time: unknown) => Date.parse(String(time)) / 1000;
  const known = measured.rows.map((row) => seconds(row[0]));
  if (!known.length) return null;
  const times = fill(known, length_ms / 1000);
  const at = new Map(times.map((time, index) => [time, index]));
  const none = () => times.map(() => 0);
  const states: Record<string, number[]> = { OK: none(), ERROR: none() };
  for (const row of measured.rows) {
    const place = at.get(seconds(row[0])) ?? 0;
    const [all, errors] = [row[1 + COUNT], row[1 + ERRORS]].map(Number);
    states.ERROR[place] = errors;
    states.OK[place] = all - errors;
  }
  for (const [time, state, number] of counted.rows) {
    const place = at.get(seconds(time)) ?? 0;
    states[String(state)] ??= none();
    states[String(state)][place] = Number(number);
    states.OK[place] -= Number(number);
  }
  const metrics: Record<string, (number | null)[]> = {};
  for (const [index, name] of METRICS.entries()) {
    metrics[name] = times.map(() => null);
    for (const row of measured.rows) metrics[name][at.get(seconds(row[0])) ?? 0] = row[index + 1] as number | null;
  }
  const overall: Series["overall"] = {};
  for (const [state, numbers] of Object.entries(states)) overall[state] = numbers.reduce((sum, each) => sum + each, 0);
  for (const [index, name] of METRICS.entries()) overall[name] = measured.total?.[index] ?? null;
  return { times, length_s: length_ms / 1000, states, metrics, overall };
}

/** The starts of all periods from the first that has traces to the last, those without any among them. */
function fill(known: number[], length_s: number): number[] {
  const times = new Set(known);
  for (let time = known[0]; time < known[known.length - 1]; time += length_s) {
    // Days and weeks are an hour longer or shorter when clocks change: a period beside a known one is that one.
    if (!known.some((each) => Math.abs(each - time) < length_s / 2)) times.add(time);
  }
  return [...times].sort((one, other) => one - other);
}
