/** Traces: a filter, numbers over time, facets, and the table. */
import { useEffect, useState } from "preact/hooks";
import { ExportMenu } from "../export/menu";
import { focusFilter } from "../filter/editor";
import { get, go } from "../page/address";
import type { Field } from "../page/api";
import { count } from "../page/format";
import { onKeys } from "../page/keys";
import { toggleMenu } from "../page/menu";
import { Notice } from "../page/notice";
import { SavedMenu } from "../saved/menu";
import { Charts } from "./charts";
import { COLUMN_MENU, ColumnMenu } from "./column-menu";
import { Facets } from "./facets";
import { FilterBar } from "./filter-bar";
import { cursor, fresh, isAsking, isLoading, problem, refresh, rows } from "./rows";
import { Table } from "./table";
import { TIMES } from "./time-range";

const MINE = `import tracehound

@tracehound.trace
def answer(question: str) -> str:
    ...`;

export function TracesPage() {
  const [fields, setFields] = useState<Field[]>([]);
  const [hasFacets, showFacets] = useState(matchMedia("(min-width: 900px)").matches);
  useEffect(
    () =>
      onKeys({
        "/": focusFilter,
        r: refresh,
        t: () => toggleMenu(TIMES),
        c: () => toggleMenu(COLUMN_MENU),
        f: () => showFacets((shown) => !shown),
      }),
    [],
  );
  return (
    <main class="traces">
      <h1 class="unseen">Traces</h1>
      <FilterBar onFields={setFields} />
      <Charts />
      <div class="above">
        <button type="button" class="quiet" aria-pressed={hasFacets} onClick={() => showFacets(!hasFacets)}>
          Facets
        </button>
        <Loaded />
        <span class="space" />
        {fresh.value > 0 && (
          <button type="button" class="fresh" onClick={refresh}>
            {fresh.value >= 100 ? "100 or more" : count(fresh.value)} new · show
          </button>
        )}
        <SavedMenu />
        <ExportMenu />
        <ColumnMenu />
      </div>
      <div class={hasFacets ? "below with-facets" : "below"}>
        {hasFacets && <Facets fields={fields} />}
        <Found />
      </div>
    </main>
  );
}

function Loaded() {
  const text = problem.value ? "" : `${count(rows.value.length)}${cursor.value ? "+" : ""} traces`;
  return (
    <span class="muted" role="status">
      {isAsking.value ? "Looking…" : text}
    </span>
  );
}

/** The table, or why there is none. */
function Found() {
  if (problem.value && !problem.value.place) {
    return (
      <Notice title="The traces cannot be shown" isError>
        <p>{problem.value.message}</p>
        <button type="button" onClick={refresh}>
          Try again
        </button>
      </Notice>
    );
  }
  if (problem.value && !rows.value.length) {
    return (
      <Notice title="The filter is not understood">
        <p>What is wrong stands below its line, at the place.</p>
        <p class="buttons">
          <button type="button" onClick={focusFilter}>
            Correct it
          </button>
          <button type="button" onClick={() => go({ filter: "" })}>
            Without the filter
          </button>
        </p>
      </Notice>
    );
  }
  if (rows.value.length || isLoading.value || problem.value) return <Table />;
  const isNarrowed = get("filter") || get("since") || get("until") || get("experiment");
  return isNarrowed ? (
    <Notice title="No trace passes">
      <p>Nothing in the store is what the filter and the range of time ask for.</p>
      <p class="buttons">
        {get("filter") && (
          <button type="button" onClick={() => go({ filter: "" })}>
            Without the filter
          </button>
        )}
        {(get("since") || get("until")) && (
          <button type="button" onClick={() => go({ since: "", until: "" })}>
            At any time
          </button>
        )}
        {get("experiment") && (
          <button type="button" onClick={() => go({ experiment: "" })}>
            In all experiments
          </button>
        )}
      </p>
    </Notice>
  ) : (
    <Notice title="No traces yet">
      <p>
        Decorate a function and call it, or send OpenTelemetry to this server. New traces appear here by themselves.
      </p>
      <pre>{MINE}</pre>
      <p>
        <code>tracehound demo</code> fills the store with an example.
      </p>
    </Notice>
  );
}
