/**
 * The data inside the page: elements that hold compressed lines of JSON. The last one holds the traces without their
 * spans; those are in the others, which are read when somebody opens a trace.
 */
import type { SavedSpan, SavedTrace } from "./saved";

const blocks = (holds: string) =>
  document.querySelectorAll<HTMLScriptElement>(`script[type="application/vnd.tracehound"][data-holds="${holds}"]`);

async function linesOf(block: HTMLScriptElement): Promise<string[]> {
  const packed = Uint8Array.from(atob(block.textContent.trim()), (character) => character.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const text = await new Response(plain).text();
  return text.split("\n").slice(0, -1);
}

export async function readTraces(): Promise<SavedTrace[]> {
  const [block] = blocks("traces");
  return block ? (await linesOf(block)).map((line) => JSON.parse(line)) : [];
}

let last: { number: number; lines: Promise<string[]> } | null = null;

/** The spans of a trace; the block that was read last is kept, for the next trace is likely to be in it. */
export async function readSpans({ block, line }: SavedTrace): Promise<SavedSpan[]> {
  if (last?.number !== block) last = { number: block, lines: linesOf(blocks("spans")[block]) };
  return JSON.parse((await last.lines)[line]);
}
