/** JSON: collapsible, searchable, copyable; only the lines in view are there. */
import { useMemo, useRef, useState } from "preact/hooks";
import { Copy } from "../page/copy";
import { count, oneLine, visible } from "../page/format";
import { useVirtual } from "../page/virtual";
import { findLines, type Line, toLines } from "./lines";
import { Text } from "./text";

const ROW = 22;
const MOST_ROWS = 24; // then the view scrolls
const SEARCHED = 12; // fewer lines are seen at once
const LONGEST = 200;
const INDENT = 14;

export function JsonView({ value }: { value: unknown }) {
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const [find, setFind] = useState("");
  const [whole, setWhole] = useState<string | null>(null);
  const lines = useMemo(() => (find ? findLines(value, find) : toLines(value, turned)), [value, turned, find]);
  const scroller = useRef<HTMLDivElement>(null);
  const list = useVirtual({ scroller, count: lines.length, height: ROW });
  const turn = (path: string) => {
    const next = new Set(turned);
    if (!next.delete(path)) next.add(path);
    setTurned(next);
  };
  return (
    <div class="json">
      {(find || lines.length > SEARCHED) && (
        <input
          type="search"
          class="small"
          placeholder="Find in this value"
          aria-label="Find in this value"
          value={find}
          onInput={(event) => setFind(event.currentTarget.value)}
        />
      )}
      <section
        class="lines"
        ref={scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
        tabIndex={0}
        aria-label="JSON"
        style={{ height: `${Math.min(lines.length || 1, MOST_ROWS) * ROW + 2}px` }}
      >
        <div style={{ height: `${list.getTotalSize()}px` }}>
          {list.getVirtualItems().map(({ index, start }) => (
            <Row key={lines[index].path} line={lines[index]} top={start} onTurn={turn} onWhole={setWhole} />
          ))}
        </div>
        {!lines.length && <p class="muted">Nothing in this value has “{find}”.</p>}
      </section>
      {whole !== null && (
        <div class="whole">
          <button type="button" class="quiet" onClick={() => setWhole(null)}>
            Close the text
          </button>
          <Text text={whole} />
        </div>
      )}
    </div>
  );
}

const BRACES = { list: ["[", "]"], object: ["{", "}"] };

interface RowProps {
  line: Line;
  top: number;
  onTurn: (path: string) => void;
  onWhole: (text: string) => void;
}

function Row({ line, top, onTurn, onWhole }: RowProps) {
  const { path, depth, label, value, isOpen } = line;
  return (
    <div
      class="json-line"
      style={{ transform: `translateY(${top}px)`, paddingLeft: `${Math.min(depth, 24) * INDENT + 4}px` }}
    >
      {line.count >= 0 ? (
        <button type="button" class="plain" aria-expanded={isOpen} onClick={() => onTurn(path)}>
          <span class="fold" aria-hidden="true">
            {line.count ? (isOpen ? "▾" : "▸") : ""}
          </span>
          {label && <b>{visible(label)}: </b>}
          <span class="muted">{told(line)}</span>
        </button>
      ) : (
        <>
          <span class="fold" />
          {label && <b>{visible(label)}: </b>}
          <Scalar value={value} onWhole={onWhole} />
        </>
      )}
      <Copy text={() => (typeof value === "string" ? value : JSON.stringify(value, null, 2))} />
    </div>
  );
}

function told({ value, count: size, isOpen }: Line): string {
  const [open, close] = Array.isArray(value) ? BRACES.list : BRACES.object;
  return isOpen && size ? `${open} ${size} ${close}` : `${open}${size ? ` ${size} … ` : ""}${close}`;
}

function Scalar({ value, onWhole }: { value: unknown; onWhole: (text: string) => void }) {
  if (typeof value !== "string") return <span class="scalar">{String(value)}</span>;
  const isLong = value.length > LONGEST || value.includes("\n");
  return (
    <>
      <span class="string">"{oneLine(value, LONGEST)}"</span>
      {isLong && (
        <button type="button" class="quiet" onClick={() => onWhole(value)}>
          {count(value.length)} characters
        </button>
      )}
    </>
  );
}
