/** The traces that are shown: pages of a search, read as they are scrolled to, and how many are new since. */
import { batch, computed, effect, signal } from "@preact/signals";
import { get } from "../page/address";
import type { Problem, Scope, Trace } from "../page/api";
import { source } from "../page/source";
import { asked_ms, range } from "../page/times";

const PAGE = 100;

export const rows = signal<Trace[]>([]);
export const cursor = signal<string | null>(null);
export const isLoading = signal(true);
/** Whether other traces, or another order of them, are being looked for than those that are shown. */
export const isAsking = signal(true);
export const problem = signal<Problem | null>(null);
export const fresh = signal(0);
/** The scope whose first page is there: what stands around the table is asked for after it, and never before it. */
export const answered = signal<Scope | null>(null);
/** Grows when everything that is shown is asked for anew. */
export const round = signal(0);

const scopeText = computed(() =>
  JSON.stringify({
    ...(get("filter") && { filter: get("filter") }),
    ...(get("experiment") && { experiments: [get("experiment")] }),
    ...range.value,
  }),
);
/** Which traces are shown: another one only where they are others, or are asked for anew. */
export const scope = computed<Scope>(() => {
  round.value;
  return JSON.parse(scopeText.value);
});

let under_way: AbortController | null = null;

const query = computed(() => ({ ...scope.value, ...(get("order") && { order_by: [get("order")] }), limit: PAGE }));

async function read(asked: typeof query.value, after: string | null): Promise<void> {
  under_way?.abort();
  const own = new AbortController();
  const of = scope.peek();
  under_way = own;
  isLoading.value = true;
  isAsking.value = after === null;
  try {
    const page = await source.searchTraces({ ...asked, cursor: after }, own.signal);
    batch(() => {
      rows.value = after ? [...rows.peek(), ...page.traces] : page.traces;
      cursor.value = page.cursor;
      answered.value = of;
      problem.value = null;
      isLoading.value = isAsking.value = false;
    });
  } catch (error) {
    if (own.signal.aborted) return;
    batch(() => {
      problem.value = error as Problem;
      answered.value = of;
      isLoading.value = isAsking.value = false;
    });
  }
}

/** Read the next page, unless one is on its way or there is none. */
export function readMore(): void {
  if (!isLoading.peek() && cursor.peek()) void read(query.peek(), cursor.peek());
}

/** Ask for everything anew, with what is now as the end of a relative range. */
export function refresh(): void {
  batch(() => {
    asked_ms.value = Date.now();
    round.value += 1;
  });
}

/** Read whenever what is asked for changes. */
export function startReading(): () => void {
  return effect(() => {
    round.value;
    const asked = query.value;
    fresh.value = 0;
    void read(asked, null);
  });
}

async function countFresh(): Promise<void> {
  const first = rows.peek()[0];
  const known = new Set(rows.peek().map((each) => each.trace_id));
  const since_ms = Math.max(first ? first.request_time_ms : 0, query.peek().since_ms ?? 0);
  const newest = { ...scope.peek(), since_ms, limit: PAGE };
  const page = await source.searchTraces(newest).catch(() => null);
  if (!page) return;
  if (known.size) fresh.value = page.traces.filter((each) => !known.has(each.trace_id)).length;
  else if (page.traces.length) refresh(); // nothing is being read that could move
}

function show(changed: Trace): void {
  const at = rows.peek().findIndex((each) => each.trace_id === changed.trace_id);
  if (at >= 0) rows.value = rows.peek().with(at, changed);
}

/** Hear of traces that are new or have changed: they are counted, and nothing that is being read moves. */
export function startListening(onChange: (id: string) => void): () => void {
  const events = new EventSource("/api/v1/events");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void countFresh();
    }, 500);
  };
  events.addEventListener("trace", soon);
  events.addEventListener("stale", soon);
  events.addEventListener("changed", (event) => {
    const trace = JSON.parse(event.data) as Trace;
    show(trace);
    onChange(trace.trace_id);
  });
  return () => {
    clearTimeout(timer);
    events.close();
  };
}
