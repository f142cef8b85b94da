/** How many of the traces have which value: a click narrows the filter to one of them, another takes it out again. */
import { useEffect, useState } from "preact/hooks";
import { equals, has, toggled } from "../filter/compose";
import { get, go } from "../page/address";
import { countFacets, type Facet, type Facets as FacetCounts, type Field, type Scope } from "../page/api";
import { count, oneLine, short } from "../page/format";
import { STATES } from "./columns";
import { answered, problem, scope } from "./rows";

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

/** Read what stands beside the table, for the scope whose traces are there; it is stale while these are others. */
function useFacets(fields: Field[]): { counted: FacetCounts | null; isStale: boolean } {
  const [found, setFound] = useState<{ of: Scope; counted: FacetCounts } | null>(null);
  const of = answered.value;
  const names = facetsOf(fields)
    .map(([field]) => field)
    .join();
  useEffect(() => {
    if (!of) return undefined;
    const own = new AbortController();
    const asked = { ...of, fields: facetsOf(fields).map(([field]) => field), values: MOST_VALUES };
    countFacets(asked, own.signal).then(
      (counted) => setFound({ of, counted }),
      () => undefined, // the table tells what is wrong
    );
    return () => own.abort();
  }, [of, names]);
  return { counted: found?.counted ?? null, isStale: found !== null && found.of !== scope.value };
}

export function Facets({ fields }: { fields: Field[] }) {
  const { counted, isStale } = useFacets(fields);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
    <nav class={isStale ? "facets stale" : "facets"} aria-label="Facets" aria-busy={isStale} tabIndex={0}>
      <p class="counted muted">
        {!counted && problem.value && "Counted when the filter is understood."}
        {counted && (counted.is_all ? `Of all ${count(counted.traces)}` : `Of the newest ${count(counted.traces)}`)}
      </p>
      {(counted || !problem.value ? facetsOf(fields) : []).map(([field, title]) => (
        <FacetValues
          key={field}
          field={field}
          title={title}
          values={counted?.facets.find((each) => each.field === field)?.values ?? null}
        />
      ))}
    </nav>
  );
}

function FacetValues({ field, title, values }: { field: string; title: string; values: Facet["values"] | null }) {
  const filter = get("filter");
  if (values?.every(({ value }) => value === null)) return null;
  const most = Math.max(1, ...(values ?? []).map((each) => each.count));
  return (
    <section class="facet">
      <h3 title={field}>{title}</h3>
      <ul>
        {values === null
          ? [1, 2, 3].map((line) => <li key={line} class="waiting" />)
          : values.map(({ value, count: number }) => {
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
