/** The filter, with the server's own words below the place where it is wrong. */
import { useEffect, useState } from "preact/hooks";
import { FilterEditor } from "../filter/editor";
import { get, go } from "../page/address";
import { type Field, searchFields } from "../page/api";
import { problem, refresh, round, scope } from "./rows";

export function FilterBar({ onFields }: { onFields: (fields: Field[]) => void }) {
  const [fields, setFields] = useState<Field[]>([]);
  const [left, setLeft] = useState(0);
  const filter = get("filter");
  const told = problem.value?.place;

  useEffect(() => {
    const { experiments } = scope.peek();
    searchFields(experiments ? { experiments } : {}).then(
      (found) => {
        setFields(found);
        onFields(found);
      },
      () => undefined, // the table tells what is wrong with the server; a filter can be written without completion
    );
  }, [get("experiment"), round.value]);

  return (
    <div class="filter">
      <div class={told ? "line wrong" : "line"}>
        <FilterEditor
          value={filter}
          fields={fields}
          problem={told}
          onPlace={setLeft}
          onSubmit={(text) => (text === filter ? refresh() : go({ filter: text }))}
        />
        {filter && (
          <button type="button" class="quiet" onClick={() => go({ filter: "" })}>
            Clear
          </button>
        )}
      </div>
      {told && (
        <p class="told" role="alert" style={{ paddingLeft: `min(${left}px, 40%)` }}>
          <span aria-hidden="true">↑ </span>
          {problem.value?.message}
          {told.corrected && (
            <button type="button" onClick={() => go({ filter: told.corrected })}>
              Use <code>{told.corrected}</code>
            </button>
          )}
        </p>
      )}
    </div>
  );
}
