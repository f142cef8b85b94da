/** The range of time: relative to now, or between two moments. */
import { computed, signal } from "@preact/signals";
import { get } from "./address";
import { moment } from "./format";

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const RANGES: [since: string, title: string][] = [
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["6h", "Last 6 hours"],
  ["24h", "Last 24 hours"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["", "All time"],
];

export interface Range {
  since_ms?: number;
  until_ms?: number;
}

/** What "now" is for a relative range: a page of a search and the next have to mean the same. */
export const asked_ms = signal(Date.now());

export function parseRange(since: string, until: string, now: number): Range {
  const relative = /^(\d+)([smhd])$/.exec(since);
  const range: Range = {};
  if (relative) range.since_ms = now - Number(relative[1]) * UNITS[relative[2]];
  else if (/^\d+$/.test(since)) range.since_ms = Number(since);
  if (/^\d+$/.test(until)) range.until_ms = Number(until);
  return range;
}

export const range = computed(() => parseRange(get("since"), get("until"), asked_ms.value));

export function titleOfRange(since: string, until: string): string {
  const known = RANGES.find(([value]) => value === since);
  if (known && !until) return known[1];
  const { since_ms, until_ms } = parseRange(since, until, Date.now());
  const from = since_ms === undefined ? "" : moment(since_ms).slice(0, 16);
  const to = until_ms === undefined ? "" : moment(until_ms).slice(0, 16);
  return `${from} – ${to}`.trim();
}

/** The intervals of the statistics, and how long they are. */
const INTERVALS: [name: string, ms: number][] = [
  ["1m", 60_000],
  ["5m", 300_000],
  ["15m", 900_000],
  ["1h", 3_600_000],
  ["6h", 21_600_000],
  ["1d", 86_400_000],
  ["1w", 604_800_000],
];
const MOST_PERIODS = 72;

/** The shortest interval that cuts so much time into few enough pieces. */
export function intervalFor(length_ms: number): [name: string, ms: number] {
  return INTERVALS.find(([, ms]) => length_ms / ms <= MOST_PERIODS) ?? INTERVALS[INTERVALS.length - 1];
}
