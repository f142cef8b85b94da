/** Where traces are read: a server, or the file that the page lies in. The entry says which, before anything is shown. */
import type { Outline, Scope, Span, Trace } from "./api";

export interface Search extends Scope {
  order_by?: string[];
  limit: number;
  cursor?: string | null;
}

export interface Source {
  /** Whether it is a server: one that is asked by filters, that changes, and in which what is said can be changed. */
  readonly isServer: boolean;
  searchTraces: (asked: Search, signal?: AbortSignal) => Promise<{ traces: Trace[]; cursor: string | null }>;
  readOutline: (id: string, signal?: AbortSignal) => Promise<Outline>;
  readSpan: (id: string, span: string, signal?: AbortSignal) => Promise<Span>;
  /** The ids of the spans that hold a text, in any case. */
  findInTrace: (id: string, text: string, signal?: AbortSignal) => Promise<Set<string>>;
}

export let source: Source;

export function readFrom(chosen: Source): void {
  source = chosen;
}
