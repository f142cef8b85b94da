/** How many of the traces have which value: a click narrows the filter to one of them, another takes it out again. */
import { useEffect, useState } from "preact/hooks";
import { equals, has, toggled } from "../filter/compose";
import { get, go } from "../page/address";
import { type Field, readStats, type Scope } from "../page/api";
import { count, oneLine, short } from "../page/format";
import { STATES } from "./columns";
import { round, scope } from "./rows";

const FIRST: [field: string, title: string][] = [
  ["attributes.status", "State"],
  ["attributes.name", "Name"],
  ["attributes.user", "User"],
  ["attributes.model_id", "Version"],
  ["attributes.session", "Session"],
];
const MOST_VALUES = 6;
const MOST_TAGS = 6;

export function facetsOf(fields: Field[]): [field: string, title: string][] {
  const tags = fields.filter((each) => each.field.startsWith("tags.") && !each.field.includes("mlflow."));
  return [...FIRST, ...tags.slice(0, MOST_TAGS).map((each): [string, string] => [each.field, each.field])];
}

type Counted = [value: string | null, count: number][];

async function readCounts(asked: Scope, field: string, signal: AbortSignal): Promise<Counted> {
  const found = await readStats({ ...asked, group_by: [field], metrics: ["count"], limit: MOST_VALUES }, signal);
  return found.rows.map(([value, number]) => [value === null ? null : String(value), Number(number)]);
}

export function Facets({ fields }: { fields: Field[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
    <nav class="facets" aria-label="Facets" tabIndex={0}>
      {facetsOf(fields).map(([field, title]) => (
        <Facet key={field} field={field} title={title} />
      ))}
    </nav>
  );
}

function Facet({ field, title }: { field: string; title: string }) {
  const [values, setValues] = useState<Counted | null>(null);
  const filter = get("filter");
  useEffect(() => {
    const own = new AbortController();
    readCounts(scope.value, field, own.signal).then(setValues, () => undefined); // the table tells what is wrong
    return () => own.abort();
  }, [scope.value, round.value, field]);

  const isNothing = values?.every(([value]) => value === null);
  if (isNothing) return null;
  const most = Math.max(1, ...(values ?? []).map(([, number]) => number));
  return (
    <section class="facet">
      <h3 title={field}>{title}</h3>
      <ul>
        {values === null
          ? [1, 2, 3].map((line) => <li key={line} class="waiting" />)
          : values.map(([value, number]) => {
              const condition = equals(field, value);
              return (
                <li key={value}>
                  <button
                    type="button"
                    class="plain"
                    aria-pressed={has(filter, condition)}
                    title={`${condition}: ${count(number)}`}
                    onClick={() => go({ filter: toggled(filter, condition) })}
                  >
                    <i style={{ width: `${(100 * number) / most}%` }} />
                    <span>{value === null ? <em>none</em> : (STATES[value]?.title ?? oneLine(value, 60))}</span>
                    <b>{short(number)}</b>
                  </button>
                </li>
              );
            })}
      </ul>
    </section>
  );
}
