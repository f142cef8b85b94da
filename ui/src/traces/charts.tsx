/** The charts above the table: dragging on one of them narrows the time. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { go } from "../page/address";
import type { Problem, Scope } from "../page/api";
import { brief, cost, mark, percent, short, time } from "../page/format";
import { theme } from "../page/theme";
import { answered, scope } from "./rows";
import { LONGEST_S, readSeries, type Series } from "./series";

interface Line {
  label: string;
  /** The name of a custom property of the style. */
  colour: string;
  values: (series: Series) => (number | null)[];
  /** What it is of all periods together. */
  overall: (series: Series) => number | null;
}

interface Kind {
  title: string;
  isBars: boolean;
  isStacked?: boolean;
  told: (value: number) => string;
  lines: Line[];
}

const ofState = (label: string, state: string, colour: string): Line => ({
  label,
  colour,
  values: ({ states, times }) => states[state] ?? times.map(() => 0),
  overall: ({ overall }) => overall[state] ?? 0,
});
const metric = (label: string, name: string, colour: string): Line => ({
  label,
  colour,
  values: ({ metrics }) => metrics[name],
  overall: ({ overall }) => overall[name],
});

const CHARTS: Kind[] = [
  {
    title: "Traces",
    isBars: true,
    isStacked: true,
    told: short,
    lines: [
      ofState("OK", "OK", "--chart-plain"),
      ofState("Error", "ERROR", "--error-fill"),
      ofState("Running", "IN_PROGRESS", "--running-fill"),
    ],
  },
  {
    title: "Latency",
    isBars: false,
    told: brief,
    lines: [metric("p50", "p50", "--chart-1"), metric("p95", "p95", "--chart-2"), metric("p99", "p99", "--chart-3")],
  },
  { title: "Error rate", isBars: false, told: percent, lines: [metric("errors", "error_rate", "--error-fill")] },
  {
    title: "Tokens",
    isBars: true,
    isStacked: true,
    told: short,
    lines: [metric("input", "input_tokens", "--chart-1"), metric("output", "output_tokens", "--chart-2")],
  },
  { title: "Cost", isBars: true, told: cost, lines: [metric("cost", "cost", "--chart-plain")] },
];

const HEIGHT = 92;
const TOO_LONG = 504;

export function Charts() {
  const [found, setFound] = useState<{ of: Scope; series: Series | null; isTooLong?: boolean } | null>(null);
  const of = answered.value;
  useEffect(() => {
    if (!of) return undefined;
    const own = new AbortController();
    readSeries(of, own.signal).then(
      (series) => setFound({ of, series }),
      (problem: Problem) => {
        if (problem.status === TOO_LONG) setFound({ of, series: null, isTooLong: true });
      }, // of anything else the table tells what is wrong
    );
    return () => own.abort();
  }, [of]);
  const series = found?.series ?? null;
  const isStale = found !== null && found.of !== scope.value;
  return (
    <section
      class={isStale ? "charts stale" : "charts"}
      aria-label="Over time"
      aria-busy={isStale}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
      tabIndex={0}
    >
      {CHARTS.map((kind) => (
        <Chart key={kind.title} kind={kind} series={series} isTooLong={found?.isTooLong} />
      ))}
    </section>
  );
}

function Chart({ kind, series, isTooLong }: { kind: Kind; series: Series | null; isTooLong?: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const isEmpty = series !== null && !kind.lines.some((line) => line.values(series).some((value) => value !== null));
  useEffect(() => {
    const place = host.current;
    if (!place || !series || isEmpty) return undefined;
    const plot = draw(place, kind, series, setAt);
    const watcher = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    watcher.observe(place);
    return () => {
      watcher.disconnect();
      plot.destroy();
    };
  }, [series, theme.value]);

  const told = (line: Line) => {
    const value = series && (at === null ? line.overall(series) : line.values(series)[at]);
    return value === null || value === undefined ? "–" : kind.told(value);
  };
  return (
    <figure>
      <figcaption>
        <h3>{kind.title}</h3>
        <span class="when">{at !== null && series ? time(series.times[at] * 1000) : ""}</span>
        <ul>
          {kind.lines.map((line) => (
            <li key={line.label}>
              <i style={{ background: `var(${line.colour})` }} />
              {kind.lines.length > 1 && <span>{line.label} </span>}
              <b>{told(line)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={host} class="plot" role="img" aria-label={`${kind.title} over time`} style={{ height: `${HEIGHT}px` }}>
        {isEmpty && <p>None recorded</p>}
        {isTooLong && <p>Takes over {LONGEST_S} s: narrow the time</p>}
      </div>
    </figure>
  );
}

function stacked(lines: (number | null)[][]): (number | null)[][] {
  const sums = lines[0].map(() => 0);
  return lines.map((line) =>
    line.map((value, index) => {
      sums[index] += value ?? 0;
      return sums[index];
    }),
  );
}

function draw(place: HTMLElement, kind: Kind, series: Series, onPoint: (at: number | null) => void): uPlot {
  const style = getComputedStyle(place);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const raw = kind.lines.map((line) => line.values(series));
  // The sum of all lies behind, and what is below it is drawn over it.
  const lines = kind.isStacked ? stacked(raw).reverse() : raw;
  const shown = kind.isStacked ? [...kind.lines].reverse() : kind.lines;
  const axis = {
    stroke: colour("--muted"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const [first, last] = [series.times[0], series.times[series.times.length - 1]];
  const margin = series.length_s / 2;
  const paths = kind.isBars ? uPlot.paths.bars?.({ size: [0.8, 24], gap: 1 }) : uPlot.paths.linear?.();
  return new uPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [6, 4, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: !kind.isBars, size: 5 },
        drag: { x: true, y: false, setScale: false },
      },
      scales: {
        x: { time: true, range: () => [first - margin, last + margin] },
        y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 72,
          gap: 6,
          grid: { show: false },
          values: (_plot, marks) => marks.map((at) => mark(at * 1000, (last - first) * 1000)),
        },
        {
          ...axis,
          size: 44,
          space: 24,
          gap: 4,
          values: (_plot, marks) => marks.map((mark) => kind.told(mark)),
        },
      ],
      series: [
        {},
        ...shown.map((line) => ({
          stroke: colour(line.colour),
          width: kind.isBars ? 0 : 1.5,
          fill: kind.isBars ? colour(line.colour) : undefined,
          points: { show: !kind.isBars && series.times.length < 3, size: 4 },
          spanGaps: true,
          paths,
        })),
      ],
      hooks: {
        setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)],
        setSelect: [
          (plot) => {
            if (plot.select.width < 4) return;
            const ms = (pixel: number) => String(Math.round(plot.posToVal(pixel, "x") * 1000));
            go({ since: ms(plot.select.left), until: ms(plot.select.left + plot.select.width) });
          },
        ],
      },
    },
    [series.times, ...lines] as uPlot.AlignedData,
    place,
  );
}
