/** The same spans as a flame: time to the right, depth downwards, on a canvas that holds any number of them. */
import { useEffect, useRef, useState } from "preact/hooks";
import { duration, oneLine } from "../page/format";
import { theme } from "../page/theme";
import type { Node } from "./tree";
import { toneOf } from "./type-mark";
import { select } from "./waterfall";

const ROW = 20;
const NAMED_PX = 36;

interface Props {
  nodes: Node[];
  length_ms: number;
  selected: string;
}

export function Flame({ nodes, length_ms, selected }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [pointed, point] = useState<Node | null>(null);
  const depth = nodes.reduce((most, node) => Math.max(most, node.depth), 0) + 1;

  useEffect(() => {
    const place = canvas.current?.parentElement;
    if (!place) return undefined;
    const watcher = new ResizeObserver(() => setWidth(place.clientWidth));
    watcher.observe(place);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (canvas.current && width) draw(canvas.current, width, depth, nodes, length_ms, selected);
  }, [nodes, width, selected, theme.value]);

  const find = (event: MouseEvent): Node | null => {
    const at_ms = (event.offsetX / width) * length_ms;
    const row = Math.floor(event.offsetY / ROW);
    const slack_ms = length_ms / width;
    const isHere = ({ span, depth }: Node) =>
      depth === row &&
      span.start_ms <= at_ms + slack_ms &&
      span.start_ms + (span.duration_ms ?? length_ms) >= at_ms - slack_ms;
    return nodes.findLast(isHere) ?? null;
  };
  return (
    <div class="flame">
      <p class="muted pointed">
        {pointed
          ? `${oneLine(pointed.span.name, 120)} · ${duration(pointed.span.duration_ms)}`
          : "The tree has the same spans for the keyboard: v"}
      </p>
      <div class="canvas">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Flame of ${nodes.length} spans`}
          onMouseMove={(event) => point(find(event))}
          onMouseLeave={() => point(null)}
          onClick={(event) => {
            const node = find(event);
            if (node) select(node.span.span_id);
          }}
        />
      </div>
    </div>
  );
}

function draw(
  canvas: HTMLCanvasElement,
  width: number,
  depth: number,
  nodes: Node[],
  length_ms: number,
  selected: string,
): void {
  const sharp = devicePixelRatio || 1;
  const height = Math.min(depth * ROW, 16_000);
  canvas.width = width * sharp;
  canvas.height = height * sharp;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(sharp, sharp);
  const style = getComputedStyle(canvas);
  const colours = new Map<string, string>();
  const colour = (name: string) => {
    const known = colours.get(name) ?? style.getPropertyValue(name).trim();
    colours.set(name, known);
    return known;
  };
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  const scale = width / length_ms;
  const drawn = new Map<number, number>(); // by depth, the pixel that was drawn last
  for (const { span, depth } of nodes) {
    const left = span.start_ms * scale;
    const long = (span.duration_ms ?? length_ms - span.start_ms) * scale;
    if (long < 1 && drawn.get(depth) === Math.floor(left) && span.span_id !== selected) continue;
    drawn.set(depth, Math.floor(left));
    const top = depth * ROW;
    pen.fillStyle = colour(span.status === "ERROR" ? "--error-fill" : `--type-${toneOf(span.type)}`);
    pen.fillRect(left, top + 1, Math.max(1, long - 1), ROW - 2);
    if (long > NAMED_PX) {
      pen.save();
      pen.beginPath();
      pen.rect(left, top, long - 4, ROW);
      pen.clip();
      pen.fillStyle = colour("--on-fill");
      pen.fillText(oneLine(span.name, 80), left + 5, top + ROW / 2);
      pen.restore();
    }
    if (span.span_id === selected) {
      pen.strokeStyle = colour("--text");
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, top + 2, Math.max(2, long - 3), ROW - 4);
    }
  }
}
