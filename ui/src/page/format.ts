/** Numbers and times as people read them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const count = (value: number): string => whole.format(value);
export const short = (value: number): string => (value < 10_000 ? whole.format(value) : compact.format(value));
export const percent = (fraction: number): string => `${(fraction * 100).toFixed(fraction < 0.1 ? 1 : 0)} %`;

const STEPS: [limit: number, divisor: number, unit: string][] = [
  [1, 0.001, "µs"],
  [1_000, 1, "ms"],
  [60_000, 1_000, "s"],
  [3_600_000, 60_000, "min"],
  [Number.POSITIVE_INFINITY, 3_600_000, "h"],
];

/** A duration in the largest unit that leaves a number of one or more, with so many digits that count. */
export function duration(ms: number | null, digits = 3): string {
  if (ms === null) return "running";
  if (Number.isInteger(ms) && ms < 1_000) return `${ms} ms`;
  const [, divisor, unit] = STEPS.find(([limit]) => ms < limit) ?? STEPS[STEPS.length - 1];
  const value = ms / divisor;
  return `${value.toFixed(Math.max(0, digits - String(Math.trunc(value)).length))} ${unit}`;
}

export const brief = (ms: number): string => duration(ms, 2);

export function cost(dollars: number): string {
  if (dollars === 0) return "$0";
  return dollars >= 1 ? `$${dollars.toFixed(2)}` : `$${dollars.toFixed(dollars >= 0.01 ? 3 : 5)}`;
}

const two = (value: number) => String(value).padStart(2, "0");

/** A moment by the clock here: the day, unless it is today, then the time. */
export function time(ms: number, now = new Date()): string {
  const at = new Date(ms);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return at.toDateString() === now.toDateString() ? clock : `${day(ms)} ${clock}`;
}

export function day(ms: number): string {
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** A moment on the axis of a chart that shows so much time: the clock, the day, or both. */
export function mark(ms: number, length_ms: number): string {
  const at = new Date(ms);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (length_ms < 36 * 3_600_000) return clock;
  if (length_ms > 300 * 86_400_000) return `${at.getFullYear()}-${two(at.getMonth() + 1)}`;
  const date = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return length_ms < 6 * 86_400_000 && clock !== "00:00" ? `${date} ${clock}` : date;
}

/** The whole moment, for a title: what `time` shows, with the day and milliseconds. */
export function moment(ms: number): string {
  const at = new Date(ms);
  return `${day(ms)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** Hostile texts may turn the direction of what stands beside them, or hide: such characters are shown by their codes. */
export const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\u27e8U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });

/** A text in one line, and not endless. */
export function oneLine(text: string, longest = 300): string {
  const cut = text.slice(0, longest);
  return visible(cut.replace(/\s+/g, " ")) + (text.length > longest ? "…" : "");
}
