/** The columns of the table: one row of this table each. */
import type { ComponentChildren } from "preact";
import type { Trace } from "../page/api";
import { cost, count, duration, moment, oneLine, time } from "../page/format";
import { spoken } from "../values/spoken";

export interface Column {
  name: string;
  title: string;
  width: number;
  isNumber?: boolean;
  /** What the language calls it, where traces can be ordered by it. */
  order?: string;
  cell: (trace: Trace, longest_ms: number) => ComponentChildren;
}

export const STATES: Record<string, { title: string; mark: string; tone: string }> = {
  OK: { title: "OK", mark: "●", tone: "ok" },
  ERROR: { title: "Error", mark: "▲", tone: "error" },
  IN_PROGRESS: { title: "Running", mark: "◐", tone: "running" },
  STATE_UNSPECIFIED: { title: "Unknown", mark: "○", tone: "unset" },
};

export function StateMark({ state }: { state: string }) {
  const { title, mark, tone } = STATES[state] ?? STATES.STATE_UNSPECIFIED;
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{mark}</span> {title}
    </span>
  );
}

function numberIn(text: string | undefined, key: string): number | null {
  if (!text) return null;
  try {
    const found: unknown = JSON.parse(text)?.[key];
    return typeof found === "number" ? found : null;
  } catch {
    return null;
  }
}

export const tokensOf = (trace: Trace) => numberIn(trace.metadata["mlflow.trace.tokenUsage"], "total_tokens");
export const costOf = (trace: Trace) => numberIn(trace.metadata["mlflow.trace.cost"], "total_cost");

/** The tags that people set: not those that the store keeps for itself. */
export const tagsOf = (trace: Trace) => Object.entries(trace.tags).filter(([key]) => !key.startsWith("mlflow."));

const metadata = (key: string) => (trace: Trace) => oneLine(trace.metadata[key] ?? "");
const orNothing = (value: number | null, told: (value: number) => string) => (value === null ? "" : told(value));

export const COLUMNS: Column[] = [
  { name: "state", title: "State", width: 92, order: "status", cell: (trace) => <StateMark state={trace.state} /> },
  { name: "name", title: "Name", width: 176, order: "name", cell: (trace) => <strong>{oneLine(trace.name)}</strong> },
  {
    name: "time",
    title: "Time",
    width: 152,
    order: "timestamp_ms",
    cell: (trace) => <span title={moment(trace.request_time_ms)}>{time(trace.request_time_ms)}</span>,
  },
  {
    name: "duration",
    title: "Duration",
    width: 144,
    isNumber: true,
    order: "execution_time_ms",
    cell: (trace, longest_ms) => (
      <span class="length">
        <span class="bar" data-tone={trace.state}>
          <i style={{ width: `${Math.max(1, (100 * (trace.duration_ms ?? 0)) / longest_ms)}%` }} />
        </span>
        <span>{duration(trace.duration_ms)}</span>
      </span>
    ),
  },
  { name: "request", title: "Request", width: 280, cell: (trace) => oneLine(spoken(trace.request_preview ?? "")) },
  { name: "response", title: "Response", width: 280, cell: (trace) => oneLine(spoken(trace.response_preview ?? "")) },
  {
    name: "tokens",
    title: "Tokens",
    width: 84,
    isNumber: true,
    order: "total_tokens",
    cell: (trace) => orNothing(tokensOf(trace), count),
  },
  {
    name: "cost",
    title: "Cost",
    width: 84,
    isNumber: true,
    order: "cost",
    cell: (trace) => orNothing(costOf(trace), cost),
  },
  { name: "user", title: "User", width: 112, order: "user", cell: metadata("mlflow.trace.user") },
  { name: "session", title: "Session", width: 128, order: "session", cell: metadata("mlflow.trace.session") },
  { name: "version", title: "Version", width: 112, order: "model_id", cell: metadata("mlflow.modelId") },
  {
    name: "feedback",
    title: "Feedback",
    width: 144,
    cell: (trace) =>
      trace.assessments.map((each) => (
        <span class="chip" key={each.assessment_id}>
          {oneLine(each.name, 24)} {oneLine(String(each.value), 16)}
        </span>
      )),
  },
  {
    name: "tags",
    title: "Tags",
    width: 240,
    cell: (trace) =>
      tagsOf(trace).map(([key, value]) => (
        <span class="chip" key={key}>
          {oneLine(key, 24)} <b>{oneLine(value, 32)}</b>
        </span>
      )),
  },
];

const SHOWN_FIRST = ["state", "name", "time", "duration", "tokens", "cost", "request", "response", "user", "tags"];
const WIDTHS = { least: 56, most: 900 };

export interface Shown {
  column: Column;
  width: number;
}

export const clampWidth = (width: number) => Math.round(Math.min(WIDTHS.most, Math.max(WIDTHS.least, width)));

/** The columns that an address names, each once; those that are shown at first where it names none. */
export function parseColumns(text: string): Shown[] {
  const found: Shown[] = [];
  for (const part of (text || SHOWN_FIRST.join(",")).split(",")) {
    const [name, width] = part.split(":");
    const column = COLUMNS.find((each) => each.name === name);
    if (column && !found.some((each) => each.column === column)) {
      found.push({ column, width: Number(width) > 0 ? clampWidth(Number(width)) : column.width });
    }
  }
  return found.length ? found : parseColumns("");
}

export function printColumns(shown: Shown[]): string {
  const text = shown
    .map(({ column, width }) => (width === column.width ? column.name : `${column.name}:${width}`))
    .join(",");
  return text === SHOWN_FIRST.join(",") ? "" : text;
}
