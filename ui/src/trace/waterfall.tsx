/** Tree and waterfall of the same spans: a row each, of which only those in view are there. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { go } from "../page/address";
import { cost, duration, oneLine, short } from "../page/format";
import { onKeys } from "../page/keys";
import { useVirtual } from "../page/virtual";
import { type Node, visible } from "./tree";
import { TypeMark, toneOf } from "./type-mark";

const ROW = 28;
const INDENT = 14;
const DEEPEST = 16; // deeper spans stand below each other: else names would leave the view

interface Props {
  nodes: Node[];
  length_ms: number;
  selected: string;
  matches: ReadonlySet<string> | null;
  isTree: boolean;
}

export const select = (span: string) => go({ span }, { replace: true });

export function Waterfall({ nodes, length_ms, selected, matches, isTree }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => visible(nodes, closed), [nodes, closed]);
  const list = useVirtual({ scroller, count: shown.length, height: ROW });
  const at = shown.findIndex((node) => node.span.span_id === selected);
  const now = useRef({ shown, at, closed });
  now.current = { shown, at, closed };

  const setOpen = (node: Node, isOpen: boolean) => {
    const next = new Set(now.current.closed);
    if (isOpen) next.delete(node.span.span_id);
    else next.add(node.span.span_id);
    setClosed(next);
  };
  useEffect(() => {
    const move = (to: number) => {
      const node = now.current.shown[Math.max(0, Math.min(now.current.shown.length - 1, to))];
      if (node) select(node.span.span_id);
    };
    const here = () => now.current.shown[now.current.at];
    const isClosed = () => now.current.closed.has(here()?.span.span_id);
    return onKeys({
      j: () => move(now.current.at + 1),
      k: () => move(now.current.at - 1),
      ArrowDown: () => move(now.current.at + 1),
      ArrowUp: () => move(now.current.at - 1),
      Home: () => move(0),
      End: () => move(now.current.shown.length - 1),
      ArrowRight: () => (here()?.below && isClosed() ? setOpen(here(), true) : move(now.current.at + 1)),
      ArrowLeft: () => {
        if (here()?.below && !isClosed()) setOpen(here(), false);
        else move(parentOf(now.current.shown, now.current.at));
      },
    });
  }, []);
  useEffect(() => {
    if (at >= 0) list.scrollToIndex(at);
    else if (nodes.some((node) => node.span.span_id === selected)) setClosed(new Set()); // it is below a closed one
  }, [selected, at < 0]);

  return (
    <div
      class={isTree ? "spans only-tree" : "spans"}
      ref={scroller}
      role="tree"
      aria-label="Spans"
      tabIndex={0}
      aria-activedescendant={at >= 0 ? `span-${selected}` : undefined}
    >
      <div style={{ height: `${list.getTotalSize()}px` }}>
        {list.getVirtualItems().map(({ index, start }) => {
          const node = shown[index];
          const { span, depth, below } = node;
          const isOpen = !closed.has(span.span_id);
          const isDim = matches !== null && !matches.has(span.span_id);
          return (
            // biome-ignore lint/a11y: the tree has the keys
            <div
              key={span.span_id}
              id={`span-${span.span_id}`}
              class={`span${span.span_id === selected ? " chosen" : ""}${isDim ? " dim" : ""}`}
              role="treeitem"
              aria-level={depth + 1}
              aria-expanded={below ? isOpen : undefined}
              aria-selected={span.span_id === selected}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => select(span.span_id)}
            >
              <div class="what" style={{ paddingLeft: `${Math.min(depth, DEEPEST) * INDENT}px` }}>
                {below ? (
                  <button
                    type="button"
                    class="fold"
                    tabIndex={-1}
                    aria-label={isOpen ? `Close ${below} spans` : `Open ${below} spans`}
                    onClick={(event) => {
                      event.stopPropagation();
                      setOpen(node, !isOpen);
                    }}
                  >
                    {isOpen ? "▾" : "▸"}
                  </button>
                ) : (
                  <span class="fold" />
                )}
                <TypeMark type={span.type} />
                <span class={span.status === "ERROR" ? "name error" : "name"}>
                  {span.status === "ERROR" && <span title="Error">▲ </span>}
                  {oneLine(span.name, 120)}
                </span>
                {!isOpen && <span class="muted"> +{short(below)}</span>}
                {isTree && <Numbers node={node} />}
              </div>
              {!isTree && <Bar node={node} length_ms={length_ms} />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Numbers({ node: { span } }: { node: Node }) {
  return (
    <span class="numbers">
      {span.tokens !== null && <span>{short(span.tokens)} tok</span>}
      {span.cost !== null && <span>{cost(span.cost)}</span>}
      <span>{duration(span.duration_ms)}</span>
    </span>
  );
}

const STYLES: Record<string, (left: number, width: number) => Record<string, string>> = {
  behind: (left, width) => ({ left: `${left + width}%` }),
  before: (left) => ({ right: `${100 - left}%` }),
  inside: (left, width) => ({ right: `${Math.max(0, 100 - left - width)}%` }),
};

function Bar({ node: { span }, length_ms }: { node: Node; length_ms: number }) {
  const left = (100 * span.start_ms) / length_ms;
  const length = span.duration_ms ?? length_ms - span.start_ms;
  const width = Math.max(0.2, (100 * length) / length_ms);
  // Behind the bar where there is room, else before it, else inside.
  const place = left + width <= 80 ? "behind" : left >= 20 ? "before" : "inside";
  return (
    <div class="lane">
      <i
        class={`${span.status === "ERROR" ? "failed" : toneOf(span.type)}${span.duration_ms === null ? " open" : ""}`}
        style={{ left: `${Math.min(left, 99.8)}%`, width: `${Math.min(width, 100 - left)}%` }}
      />
      <span class={`told ${place}`} style={STYLES[place](left, width)}>
        {duration(span.duration_ms)}
      </span>
    </div>
  );
}

function parentOf(shown: Node[], at: number): number {
  let parent = at - 1;
  while (parent > 0 && shown[parent].depth >= shown[at].depth) parent -= 1;
  return parent;
}
