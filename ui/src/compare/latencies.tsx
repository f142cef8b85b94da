/** Two distributions of latency, drawn over each other. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { brief, percent } from "../page/format";
import { theme } from "../page/theme";
import type { Distribution } from "./api";

const HEIGHT = 200;

export const COLOURS = { baseline: "--side-baseline", candidate: "--side-candidate" };

export function Latencies({ found, names }: { found: Distribution; names: [string, string] }) {
  const host = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    const place = host.current;
    if (!place) return undefined;
    const plot = draw(place, found, setAt);
    const watcher = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [found, theme.value]);
  const bin = at !== null && at < found.baseline.length ? at : null;
  return (
    <figure class="latencies">
      <figcaption>
        <h2>Latency</h2>
        <ul>
          {(["baseline", "candidate"] as const).map((side, index) => (
            <li key={side}>
              <i style={{ background: `var(${COLOURS[side]})` }} />
              {names[index]} {bin !== null && <b>{percent(found[side][bin])}</b>}
            </li>
          ))}
        </ul>
        <span class="muted">
          {bin !== null
            ? `${brief(found.edges_ms[bin])} – ${brief(found.edges_ms[bin + 1])}`
            : "which share of the traces took so long"}
        </span>
      </figcaption>
      <div
        ref={host}
        class="plot"
        role="img"
        aria-label={`Latency of ${names[0]} and of ${names[1]}, drawn over each other`}
        style={{ height: `${HEIGHT}px` }}
      />
    </figure>
  );
}

/** Bins are as wide in proportion, so what is drawn along is their number: an axis in proportion, too. */
function draw(place: HTMLElement, found: Distribution, onPoint: (at: number | null) => void): uPlot {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const numbers = found.edges_ms.map((_, index) => index);
  const ended = (shares: number[]) => [...shares, shares[shares.length - 1]];
  const axis = {
    stroke: colour("--muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => [0, numbers.length - 1] },
        y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 20,
          space: 72,
          gap: 2,
          incrs: [1, 2, 5, 10],
          grid: { show: false },
          values: (_plot, marks) => marks.map((mark) => brief(found.edges_ms[mark] ?? 0)),
        },
        { ...axis, size: 48, space: 32, gap: 4, values: (_plot, marks) => marks.map(percent) },
      ],
      series: [
        {},
        ...Object.values(COLOURS).map((name) => ({
          stroke: colour(name),
          width: 2,
          fill: `color-mix(in srgb, ${colour(name)} 22%, transparent)`,
          points: { show: false },
          paths: uPlot.paths.stepped?.({ align: 1 }),
        })),
      ],
      hooks: { setCursor: [(plot) => onPoint(plot.cursor.left && plot.cursor.left >= 0 ? binAt(plot) : null)] },
    },
    [numbers, ended(found.baseline), ended(found.candidate)] as uPlot.AlignedData,
    place,
  );
}

const binAt = (plot: uPlot): number => Math.floor(plot.posToVal(plot.cursor.left ?? 0, "x"));
