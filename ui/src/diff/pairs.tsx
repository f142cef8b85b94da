/** The tree of the spans of both traces, a row a pair, of which only those in view are there. */
import { useEffect, useRef } from "preact/hooks";
import type { DiffedSpan, Pair } from "../page/api";
import { duration, oneLine } from "../page/format";
import { useVirtual } from "../page/virtual";
import { TypeMark } from "../trace/type-mark";

const ROW = 28;
const INDENT = 14;
const DEEPEST = 16;

interface Look {
  mark: string;
  tone: string;
  told: string;
}

/** How a pair is marked: a letter-like mark and words, so that colour tells nothing alone. */
export function lookOf(pair: Pair): Look {
  if (!pair.left) return { mark: "+", tone: "added", told: "only right" };
  if (!pair.right) return { mark: "−", tone: "gone", told: "only left" };
  if (pair.differences.length) return { mark: "~", tone: "changed", told: pair.differences.join(", ") };
  return { mark: "", tone: "", told: "" };
}

interface Props {
  pairs: Pair[];
  at: number;
  onSelect: (pair: Pair) => void;
}

export function PairList({ pairs, at, onSelect }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useVirtual({ scroller, count: pairs.length, height: ROW });
  const longest_ms = Math.max(
    1,
    ...pairs.slice(0, 5_000).flatMap(({ left, right }) => [left?.duration_ms ?? 0, right?.duration_ms ?? 0]),
  );
  useEffect(() => {
    if (at >= 0) list.scrollToIndex(at);
  }, [at]);
  return (
    <div
      class="spans pairs"
      ref={scroller}
      role="tree"
      aria-label="Steps"
      tabIndex={0}
      aria-activedescendant={at >= 0 ? `pair-${at}` : undefined}
    >
      <div style={{ height: `${list.getTotalSize()}px` }}>
        {list.getVirtualItems().map(({ index, start }) => {
          const pair = pairs[index];
          const span = (pair.right ?? pair.left) as DiffedSpan;
          const look = lookOf(pair);
          return (
            // biome-ignore lint/a11y: the tree has the keys
            <div
              key={index}
              id={`pair-${index}`}
              class={`span pair ${look.tone}${index === at ? " chosen" : ""}`}
              role="treeitem"
              aria-level={pair.depth + 1}
              aria-selected={index === at}
              style={{ transform: `translateY(${start}px)` }}
              onClick={() => onSelect(pair)}
            >
              <span class="place">{pair.place}</span>
              <span class="mark" aria-hidden="true">
                {look.mark}
              </span>
              <div class="what" style={{ paddingLeft: `${Math.min(pair.depth, DEEPEST) * INDENT}px` }}>
                <TypeMark type={span.type} />
                <span class={span.status === "ERROR" ? "name error" : "name"}>{oneLine(span.name, 120)}</span>
                <span class="muted">
                  {look.told}
                  {pair.was_moved && " moved"}
                </span>
              </div>
              <Lengths pair={pair} longest_ms={longest_ms} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Two bars, left above right, and how much longer the right one took. */
function Lengths({ pair: { left, right, is_slower }, longest_ms }: { pair: Pair; longest_ms: number }) {
  const bar = (span: DiffedSpan | null, side: string) => (
    <i class={side} style={{ width: `${(100 * (span?.duration_ms ?? 0)) / longest_ms}%` }} />
  );
  const told = [left, right].map((span) => (span ? duration(span.duration_ms, 2) : "–")).join(" → ");
  return (
    <div class="lengths">
      <span class="bars">
        {bar(left, "left")}
        {bar(right, "right")}
      </span>
      <span class={is_slower === null ? "told" : "told marked"}>
        {told}
        {is_slower !== null && <b>{is_slower ? " slower" : " faster"}</b>}
      </span>
    </div>
  );
}
