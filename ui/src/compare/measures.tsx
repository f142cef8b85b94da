/** The measures of both sides, with how much they differ, and how sure that is. */
import type { Comparison, Measure } from "./api";
import { differs, shown, signed, TITLES } from "./format";

const WIDTH = 160;
const HEIGHT = 16;

export function Measures({ found }: { found: Comparison }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
    <section class="measures" aria-label="Measures" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            <th scope="col" class="number">
              {String(found.baseline.value)}
            </th>
            <th scope="col" class="number">
              {String(found.candidate.value)}
            </th>
            <th scope="col" class="number">
              Difference
            </th>
            <th scope="col">From, to</th>
            <th scope="col">
              <span class="unseen">Interval around zero</span>
            </th>
            <th scope="col">
              <span class="unseen">Mark</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {found.measures.map((each) => (
            <Row key={each.name} measure={each} />
          ))}
        </tbody>
      </table>
      <p class="muted">
        All intervals of the differences hold at once, {found.level * 100} times of 100: a mark is where one excludes
        zero. They take traces for independent of each other.
      </p>
    </section>
  );
}

function Row({ measure }: { measure: Measure }) {
  const { interval } = measure;
  return (
    <tr data-measure={measure.name}>
      <th scope="row" title={measure.method}>
        {TITLES[measure.name] ?? measure.name}
      </th>
      <td class="number" title={told(measure, "baseline")}>
        {shown(measure, measure.baseline.value)}
      </td>
      <td class="number" title={told(measure, "candidate")}>
        {shown(measure, measure.candidate.value)}
      </td>
      <td class="number">{measure.difference === null ? "–" : signed(measure, measure.difference)}</td>
      {interval ? (
        <>
          <td class="ends">
            {signed(measure, interval.low)}, {signed(measure, interval.high)}
          </td>
          <td>
            <Reach measure={measure} low={interval.low} high={interval.high} />
          </td>
          <td>{differs(measure) && <Mark isMore={interval.low > 0} />}</td>
        </>
      ) : (
        <td class="note" colSpan={3}>
          {measure.note}
        </td>
      )}
    </tr>
  );
}

/** More of anything that is measured is worse: of errors, of time, of tokens, of money. */
function Mark({ isMore }: { isMore: boolean }) {
  return <span class={isMore ? "mark worse" : "mark better"}>{isMore ? "▲ more" : "▼ less"}</span>;
}

/** The interval of a difference around zero, which is in the middle. */
function Reach({ measure, low, high }: { measure: Measure; low: number; high: number }) {
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const place = (value: number) => WIDTH / 2 + (value / most) * (WIDTH / 2 - 4);
  return (
    <svg class={differs(measure) ? "reach differs" : "reach"} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <line class="zero" x1={WIDTH / 2} x2={WIDTH / 2} y1="0" y2={HEIGHT} />
      <line x1={place(low)} x2={place(high)} y1={HEIGHT / 2} y2={HEIGHT / 2} />
      <circle cx={place(measure.difference ?? 0)} cy={HEIGHT / 2} r="3.5" />
    </svg>
  );
}

function told(measure: Measure, side: "baseline" | "candidate"): string {
  const { interval, count } = measure[side];
  const of = `of ${count.toLocaleString("en")} traces`;
  return interval ? `${of}, from ${shown(measure, interval.low)} to ${shown(measure, interval.high)}` : of;
}
