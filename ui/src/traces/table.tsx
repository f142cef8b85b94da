/** The table of traces: only the rows in view are there, and the next page is read before the last row is reached. */
import { useEffect, useRef } from "preact/hooks";
import { get, go, linkTo } from "../page/address";
import { onKeys } from "../page/keys";
import { useVirtual } from "../page/virtual";
import { choose, chosen } from "./chosen";
import { type Column, clampWidth, parseColumns, printColumns, type Shown } from "./columns";
import { cursor, isAsking, readMore, rows } from "./rows";

const ROW = 36;
const HEAD = 32;
const AHEAD = 40; // rows below the last one in view when the next page is read
const STEP = 16;

export function Table() {
  const scroller = useRef<HTMLDivElement>(null);
  const traces = rows.value;
  const list = useVirtual({ scroller, count: traces.length, height: ROW, above: HEAD });
  const shown = parseColumns(get("columns"));
  const longest_ms = Math.max(1, ...traces.slice(0, 5_000).map((each) => each.duration_ms ?? 0));
  const items = list.getVirtualItems();
  const last = items.length ? items[items.length - 1].index : 0;
  const at = chosen.value;

  useEffect(() => {
    if (last + AHEAD > traces.length) readMore();
  }, [last, traces]);

  const move = (to: number) => {
    choose(Math.max(0, Math.min(rows.peek().length - 1, to)));
    list.scrollToIndex(chosen.peek());
  };
  useEffect(
    () =>
      onKeys({
        j: () => move(chosen.peek() + 1),
        k: () => move(chosen.peek() - 1),
        ArrowDown: () => move(chosen.peek() + 1),
        ArrowUp: () => move(chosen.peek() - 1),
        PageDown: () => move(chosen.peek() + 20),
        PageUp: () => move(chosen.peek() - 20),
        Home: () => move(0),
        End: () => move(rows.peek().length - 1),
        Enter: () => {
          const trace = rows.peek()[chosen.peek()];
          if (trace) go({ trace: trace.trace_id });
        },
      }),
    [list],
  );

  const width = shown.reduce((sum, each) => sum + each.width, 0);
  return (
    // biome-ignore lint/a11y/useSemanticElements: rows that are not in view are not there, which a table cannot say
    <div
      class={isAsking.value ? "table stale" : "table"}
      role="grid"
      aria-label="Traces"
      aria-busy={isAsking.value}
      aria-rowcount={cursor.value ? -1 : traces.length + 1}
      aria-colcount={shown.length}
      aria-activedescendant={at >= 0 ? `row-${at}` : undefined}
      tabIndex={0}
      ref={scroller}
    >
      <div style={{ height: `${list.getTotalSize() + HEAD}px`, width: `max(100%, ${width}px)` }}>
        {/* biome-ignore lint/a11y: a row of a grid */}
        <div class="row head" role="row" aria-rowindex={1}>
          {shown.map((each) => (
            <Head key={each.column.name} each={each} shown={shown} />
          ))}
        </div>
        {items.map(({ index, start }) => {
          const trace = traces[index];
          return (
            // biome-ignore lint/a11y: the grid has the keys
            <div
              key={trace.trace_id}
              id={`row-${index}`}
              class={index === at ? "row chosen" : "row"}
              role="row"
              aria-rowindex={index + 2}
              aria-selected={index === at}
              style={{ transform: `translateY(${start + HEAD}px)` }}
              onClick={(event) => {
                choose(index);
                if (!(event.target as HTMLElement).closest("a") && !getSelection()?.toString()) {
                  go({ trace: trace.trace_id });
                }
              }}
            >
              {shown.map(({ column, width }) => (
                // biome-ignore lint/a11y: a cell of a grid
                <div
                  key={column.name}
                  role="gridcell"
                  class={column.isNumber ? "number" : ""}
                  style={{ width: `${width}px` }}
                >
                  {column.name === "name" ? (
                    <a
                      href={linkTo({ trace: trace.trace_id })}
                      tabIndex={-1}
                      onClick={(event) => follow(event, trace.trace_id)}
                    >
                      {column.cell(trace, longest_ms)}
                    </a>
                  ) : (
                    column.cell(trace, longest_ms)
                  )}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** A link opens here, unless it was asked to open elsewhere. */
function follow(event: MouseEvent, trace: string): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go({ trace });
}

const DIRECTIONS: Record<string, "ascending" | "descending"> = { ASC: "ascending", DESC: "descending" };

function Head({ each, shown }: { each: Shown; shown: Shown[] }) {
  const { column, width } = each;
  const [field, direction] = get("order").split(" ");
  const sorted =
    column.order && (field || "timestamp_ms") === column.order ? (DIRECTIONS[direction] ?? "descending") : undefined;
  const resize = (to: number, replace: boolean) => {
    const next = shown.map((other) => (other === each ? { ...other, width: clampWidth(to) } : other));
    go({ columns: printColumns(next) }, { replace });
  };
  return (
    // biome-ignore lint/a11y: a cell of a grid
    <div
      role="columnheader"
      class={column.isNumber ? "number" : ""}
      style={{ width: `${width}px` }}
      aria-sort={sorted ?? (column.order ? "none" : undefined)}
      draggable
      onDragStart={(event) => event.dataTransfer?.setData("text/plain", column.name)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        moveColumn(shown, event.dataTransfer?.getData("text/plain") ?? "", column.name);
      }}
    >
      {column.order ? (
        <button type="button" class="plain" onClick={() => go({ order: nextOrder(column, sorted) })}>
          {column.title}
          <span aria-hidden="true">{sorted ? (sorted === "ascending" ? " ↑" : " ↓") : ""}</span>
        </button>
      ) : (
        column.title
      )}
      <Separator label={`Width of ${column.title}`} width={width} onResize={resize} />
    </div>
  );
}

function nextOrder(column: Column, sorted: string | undefined): string {
  const direction = sorted === "descending" ? "ASC" : "DESC";
  return column.order === "timestamp_ms" && direction === "DESC" ? "" : `${column.order} ${direction}`;
}

export function moveColumn(shown: Shown[], name: string, before: string): void {
  const moved = shown.find((each) => each.column.name === name);
  if (!moved || name === before) return;
  const rest = shown.filter((each) => each !== moved);
  const at = rest.findIndex((each) => each.column.name === before);
  const isRight = shown.indexOf(moved) <= at;
  go({ columns: printColumns(rest.toSpliced(isRight ? at + 1 : at, 0, moved)) });
}

function Separator({
  label,
  width,
  onResize,
}: {
  label: string;
  width: number;
  onResize: (to: number, replace: boolean) => void;
}) {
  return (
    // biome-ignore lint/a11y: a separator that can be moved
    <span
      class="separator"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      tabIndex={0}
      data-keys="own"
      onKeyDown={(event) => {
        const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
        if (by) onResize(width + by, true);
      }}
      onPointerDown={(event) => {
        event.preventDefault();
        const own = event.currentTarget;
        const from = event.clientX;
        own.setPointerCapture(event.pointerId);
        own.onpointermove = (move) => onResize(width + move.clientX - from, true);
        own.onpointerup = () => {
          own.onpointermove = null;
        };
      }}
    />
  );
}
