/** What the filter matches, to take away: as a file of all of it, or as the search in Python or for a shell. */
import { useState } from "preact/hooks";
import { get } from "../page/address";
import { ask, type Scope } from "../page/api";
import { Copy } from "../page/copy";
import { Menu } from "../page/menu";
import { problem, scope } from "../traces/rows";
import { asCurl, asPython, type Shown } from "./code";

export const EXPORT_MENU = "export";

interface Format {
  name: string;
  install: string | null;
}

const TITLES: Record<string, string> = { jsonl: "JSON lines", csv: "CSV", parquet: "Parquet" };

const shown = (): Shown => ({
  filter: get("filter"),
  experiment: get("experiment"),
  since: get("since"),
  until: get("until"),
  order: get("order"),
});

function addressOf(format: string, { filter, experiments, since_ms, until_ms }: Scope, order: string): string {
  const query = new URLSearchParams({ format });
  if (filter) query.set("filter", filter);
  for (const each of experiments ?? []) query.append("experiments", each);
  if (since_ms !== undefined) query.set("since_ms", String(since_ms));
  if (until_ms !== undefined) query.set("until_ms", String(until_ms));
  if (order) query.append("order_by", order);
  return `/api/v1/traces/export?${query}`;
}

export function ExportMenu() {
  const [formats, setFormats] = useState<Format[]>([]);
  const read = () =>
    ask<{ formats: Format[] }>("GET", "/export-formats").then(
      (found) => setFormats(found.formats.filter((each) => each.name in TITLES)),
      () => undefined, // the table tells what is wrong with the server
    );
  return (
    <Menu id={EXPORT_MENU} label="Export" title="Export what the filter matches" onOpen={read}>
      {problem.value ? (
        <p class="aside">There is nothing to export: the table says why.</p>
      ) : (
        <ul class="choices">
          {formats.map(({ name, install }) => (
            <li key={name}>
              {install ? (
                <p class="aside needs">
                  {TITLES[name]} needs more on the server: <code>{install}</code>
                </p>
              ) : (
                <a class="plain" href={addressOf(name, scope.value, get("order"))} download={`traces.${name}`}>
                  {TITLES[name]}
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
      <div class="fields">
        <Copy label="Copy as Python" text={() => asPython(shown(), location.origin)} />
        <Copy label="Copy as curl" text={() => asCurl(shown(), location.origin)} />
      </div>
    </Menu>
  );
}
