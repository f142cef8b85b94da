/** The menu in which the other trace of a comparison is chosen: one of the same name, or any by its id. */
import { useEffect, useState } from "preact/hooks";
import { equals } from "../filter/compose";
import { go } from "../page/address";
import { searchTraces, type Trace } from "../page/api";
import { duration, oneLine, time } from "../page/format";
import { Link } from "../page/link";
import { Menu, toggleMenu } from "../page/menu";
import { StateMark } from "../traces/columns";
import { spoken } from "../values/spoken";

const MENU = "compare";
const OFFERED = 9;

export const openChoice = (): void => toggleMenu(MENU);

export function ChooseOther({ trace }: { trace: Trace }) {
  const [others, setOthers] = useState<Trace[] | null>(null);
  const read = async () => {
    if (others) return;
    // Those before it first: what it did until then is what one compares with.
    const asked = {
      filter: equals("attributes.name", trace.name),
      until_ms: trace.request_time_ms + 1,
      limit: OFFERED,
    };
    const { traces } = await searchTraces(asked).catch(() => ({ traces: [] as Trace[] }));
    setOthers(traces.filter((each) => each.trace_id !== trace.trace_id));
  };
  useEffect(() => setOthers(null), [trace.trace_id]);
  return (
    <Menu id={MENU} label="Compare" title="Compare with another trace (x)" onOpen={read}>
      <p class="muted">With an earlier one of the same name</p>
      <ul class="choices">
        {others?.map((each) => (
          <li key={each.trace_id}>
            <Link class="choice" to={{ trace: each.trace_id, with: trace.trace_id, span: "", find: "" }}>
              <StateMark state={each.state} />
              <span>{time(each.request_time_ms)}</span>
              <span class="number">{duration(each.duration_ms)}</span>
              <span class="muted">{oneLine(spoken(each.request_preview ?? ""), 48)}</span>
            </Link>
          </li>
        ))}
      </ul>
      {others?.length === 0 && <p>There is none.</p>}
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const other = String(new FormData(event.currentTarget).get("other") ?? "").trim();
          if (other) go({ with: other, span: "", find: "" });
        }}
      >
        <label>
          Id <input name="other" required placeholder="tr-…" />
        </label>
        <button type="submit">Compare</button>
      </form>
    </Menu>
  );
}
