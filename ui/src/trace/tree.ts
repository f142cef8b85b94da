/** The spans of a trace as a tree, in the order in which it is read from above: parents, then what is below them. */
import type { OutlinedSpan } from "../page/api";

export interface Node {
  span: OutlinedSpan;
  depth: number;
  /** How many spans are below it, at any depth. */
  below: number;
}

/** A span whose parent is not there is a root; spans that are each other's parents are so, too. */
export function toTree(spans: OutlinedSpan[]): Node[] {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map<string | null, OutlinedSpan[]>();
  for (const span of spans) {
    const parent = span.parent_id !== null && known.has(span.parent_id) ? span.parent_id : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  const nodes: Node[] = [];
  const seen = new Set<string>();
  const walk = (roots: OutlinedSpan[]) => {
    const waiting = roots.map((span) => ({ span, depth: 0 })).reverse();
    while (waiting.length) {
      const { span, depth } = waiting.pop() as { span: OutlinedSpan; depth: number };
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      nodes.push({ span, depth, below: 0 });
      for (const child of (children.get(span.span_id) ?? []).toReversed())
        waiting.push({ span: child, depth: depth + 1 });
    }
  };
  walk(children.get(null) ?? []);
  for (const span of spans) if (!seen.has(span.span_id)) walk([span]);
  countBelow(nodes);
  return nodes;
}

function countBelow(nodes: Node[]): void {
  const above: number[] = [];
  for (const [index, node] of nodes.entries()) {
    while (above.length && nodes[above[above.length - 1]].depth >= node.depth) {
      const done = above.pop() as number;
      nodes[done].below = index - done - 1;
    }
    above.push(index);
  }
  for (const index of above) nodes[index].below = nodes.length - index - 1;
}

/** The nodes that show while some are closed. */
export function visible(nodes: Node[], closed: ReadonlySet<string>): Node[] {
  if (!closed.size) return nodes;
  const found: Node[] = [];
  for (let index = 0; index < nodes.length; index += 1) {
    const node = nodes[index];
    found.push(node);
    if (closed.has(node.span.span_id)) index += node.below;
  }
  return found;
}

export const endOf = (span: OutlinedSpan, now_ms: number): number =>
  span.start_ms + (span.duration_ms ?? Math.max(0, now_ms - span.start_ms));

/** When the last span of a trace ends, in milliseconds from its start. */
export function lengthOf(spans: OutlinedSpan[]): number {
  let end = 0;
  for (const span of spans) end = Math.max(end, span.start_ms + (span.duration_ms ?? 0));
  return end || 1;
}
