import { get, go } from "../page/address";
import { closeMenu, Menu } from "../page/menu";
import { RANGES, range, titleOfRange } from "../page/times";
import { refresh } from "./rows";

export const TIMES = "times";

/** A moment as the field of a form has it: by the clock here, without seconds. */
function toField(ms: number | undefined): string {
  if (ms === undefined) return "";
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const fromField = (text: FormDataEntryValue | null): string => (text ? String(new Date(String(text)).getTime()) : "");

function choose(since: string, until: string): void {
  closeMenu(TIMES);
  refresh();
  go({ since, until });
}

export function TimeRange() {
  const [since, until] = [get("since"), get("until")];
  return (
    <Menu id={TIMES} label={titleOfRange(since, until)} title="Range of time (t)">
      <ul class="choices">
        {RANGES.map(([value, title]) => (
          <li key={value}>
            <button
              type="button"
              class="plain"
              aria-pressed={value === since && !until}
              onClick={() => choose(value, "")}
            >
              {title}
            </button>
          </li>
        ))}
      </ul>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          choose(fromField(given.get("since")), fromField(given.get("until")));
        }}
      >
        <label>
          From <input type="datetime-local" name="since" value={toField(range.value.since_ms)} />
        </label>
        <label>
          To <input type="datetime-local" name="until" value={toField(range.value.until_ms)} />
        </label>
        <button type="submit">Show</button>
      </form>
    </Menu>
  );
}
