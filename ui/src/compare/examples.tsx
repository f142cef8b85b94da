/** Traces of one side to look at: the slowest, those that failed, the typical ones. */
import { added } from "../filter/compose";
import { get, go, linkTo } from "../page/address";
import { count, duration, oneLine, time } from "../page/format";
import { StateMark } from "../traces/columns";
import type { Example, Side } from "./api";
import { COLOURS } from "./latencies";

const LISTS = [
  ["slowest", "Slowest"],
  ["failing", "Failing, the newest"],
  ["typical", "Typical: nearest to the median"],
] as const;

export function Examples({ side, name }: { side: Side; name: "baseline" | "candidate" }) {
  const all = { place: "", by: "", baseline: "", candidate: "", filter: added(get("filter"), side.filter) };
  return (
    <section class="side" aria-label={`Traces of ${side.value}`}>
      <h2>
        <i style={{ background: `var(${COLOURS[name]})` }} />
        {String(side.value)}
      </h2>
      <p class="muted">
        <a
          href={linkTo(all)}
          onClick={(event) => {
            event.preventDefault();
            go(all);
          }}
        >
          {count(side.count)} {side.count === 1 ? "trace" : "traces"}
        </a>
        {side.read < side.count && `, of which a random sample of ${count(side.read)} was read`}
      </p>
      {LISTS.map(([key, title]) => (
        <div key={key}>
          <h3>{title}</h3>
          {side[key].length ? (
            <ul>
              {side[key].map((each) => (
                <Line key={each.trace_id} example={each} />
              ))}
            </ul>
          ) : (
            <p class="muted">None</p>
          )}
        </div>
      ))}
    </section>
  );
}

function Line({ example }: { example: Example }) {
  const to = { trace: example.trace_id };
  return (
    <li>
      <a
        href={linkTo(to)}
        onClick={(event) => {
          event.preventDefault();
          go(to);
        }}
      >
        <b>{duration(example.duration_ms)}</b>
        <StateMark state={example.state} />
        <span class="what">{oneLine(example.request_preview ?? example.name, 200)}</span>
        <span class="muted">{time(example.request_time_ms)}</span>
      </a>
    </li>
  );
}
