/** The file that the page lies in as a source of traces: what a server would answer, from memory. */
import { Problem, type Trace } from "../page/api";
import type { Search, Source } from "../page/source";
import { costOf, tokensOf } from "../traces/columns";
import { readSpans, readTraces } from "./blocks";
import { type SavedSpan, type SavedTrace, textsOf, toOutline, toSpan, toTrace } from "./saved";

type Rank = (trace: Trace) => string | number | null;

const metadata =
  (key: string): Rank =>
  (trace) =>
    trace.metadata[key] ?? null;

/** What traces can be ordered by, under the names of the language. */
const RANKS: Record<string, Rank> = {
  timestamp_ms: (trace) => trace.request_time_ms,
  status: (trace) => trace.state,
  name: (trace) => trace.name,
  execution_time_ms: (trace) => trace.duration_ms,
  total_tokens: tokensOf,
  cost: costOf,
  user: metadata("mlflow.trace.user"),
  session: metadata("mlflow.trace.session"),
  model_id: metadata("mlflow.modelId"),
};

/** The order in which the traces lie in the file, which is that of the result that was written. */
export const FILE_ORDER = "file";

/** Traces in an order as the language writes it, newest first where none is asked for; what has no value comes last. */
function inOrder(traces: Trace[], order = "timestamp_ms DESC"): Trace[] {
  if (order === FILE_ORDER) return traces;
  const [name, direction] = order.split(" ");
  const rank = RANKS[name] ?? RANKS.timestamp_ms;
  const sign = direction === "ASC" ? 1 : -1;
  return traces.toSorted((one, other) => {
    const [left, right] = [rank(one), rank(other)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    return left < right ? -sign : left > right ? sign : 0;
  });
}

function has(trace: Trace, wanted: string): boolean {
  const texts = [trace.trace_id, trace.name, trace.state, trace.request_preview, trace.response_preview];
  const said = [...Object.values(trace.tags), ...Object.values(trace.metadata)];
  return [...texts, ...said].some((text) => text?.toLowerCase().includes(wanted));
}

export interface File extends Source {
  traces: Trace[];
  isNewestFirst: boolean;
}

/** Read the traces of the file, and give them as a source. */
export async function openFile(): Promise<File> {
  const saved = new Map((await readTraces()).map((each) => [each.trace.trace_id, each]));
  const traces = [...saved.values()].map(toTrace);
  let opened: { id: string; spans: Map<string, SavedSpan> } | null = null;

  const find = (id: string): SavedTrace => {
    const found = saved.get(id);
    if (!found) throw new Problem(`there is no trace ${id} in this file`, 404);
    return found;
  };
  const spansOf = async (id: string): Promise<Map<string, SavedSpan>> => {
    if (opened?.id !== id)
      opened = { id, spans: new Map((await readSpans(find(id))).map((each) => [each.span_id, each])) };
    return opened.spans;
  };
  return {
    traces,
    isNewestFirst: traces.every((each, at) => !at || each.request_time_ms <= traces[at - 1].request_time_ms),
    isServer: false,
    searchTraces: async ({ filter, order_by }: Search) => {
      const wanted = filter?.toLowerCase();
      const found = wanted ? traces.filter((trace) => has(trace, wanted)) : traces;
      return { traces: inOrder(found, order_by?.[0]), cursor: null };
    },
    readOutline: async (id) => toOutline(toTrace(find(id)), [...(await spansOf(id)).values()]),
    readSpan: async (id, span) => {
      const found = (await spansOf(id)).get(span);
      if (!found) throw new Problem(`the trace ${id} has no span ${span}`, 404);
      return toSpan(found);
    },
    findInTrace: async (id, text) => {
      const needles = [text.toLowerCase(), JSON.stringify(text).slice(1, -1).toLowerCase()];
      const isIn = (span: SavedSpan) =>
        textsOf(span).some((each) => needles.some((needle) => each.toLowerCase().includes(needle)));
      return new Set([...(await spansOf(id)).values()].filter(isIn).map((span) => span.span_id));
    },
  };
}
