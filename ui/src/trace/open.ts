/** The trace that is open: its outline, and what is told of it while it runs. */
import { signal } from "@preact/signals";
import type { Outline, Problem } from "../page/api";
import { source } from "../page/source";

export const outline = signal<Outline | null>(null);
export const problem = signal<Problem | null>(null);
/** Grows when the trace has changed, so that what was read of its spans is read anew. */
export const edition = signal(0);

let under_way: AbortController | null = null;

export async function open(id: string): Promise<void> {
  under_way?.abort();
  const own = new AbortController();
  under_way = own;
  if (outline.peek()?.trace.trace_id !== id) outline.value = null;
  try {
    outline.value = await source.readOutline(id, own.signal);
    problem.value = null;
    edition.value += 1;
  } catch (error) {
    if (!own.signal.aborted) problem.value = error as Problem;
  }
}

export function noteChange(id: string): void {
  if (outline.peek()?.trace.trace_id === id) void open(id);
}
