/** A search as a program and as a command: what is copied finds what is shown, as long as it is run. */
import { added } from "../filter/compose";

export interface Shown {
  filter: string;
  experiment: string;
  since: string;
  until: string;
  order: string;
}

const AGO = /^\d+[smhd]$/;

/** A range of time as conditions: one that is relative to now stays so. */
function inTime({ filter, since, until }: Shown): string {
  const moment = (text: string) => (AGO.test(text) ? `now() - INTERVAL '${text}'` : text);
  let whole = filter;
  if (since) whole = added(whole, `attributes.timestamp_ms >= ${moment(since)}`);
  if (until) whole = added(whole, `attributes.timestamp_ms < ${moment(until)}`);
  return whole;
}

/** Texts of JSON are texts of Python. */
const text = (value: string): string => JSON.stringify(value);

export function asPython(shown: Shown, origin: string): string {
  const filter = inTime(shown);
  const experiments = shown.experiment
    ? `[tracehound.get_experiment_by_name(${text(shown.experiment)}).experiment_id]`
    : "[each.experiment_id for each in tracehound.search_experiments()]";
  return [
    "import tracehound",
    "",
    `tracehound.set_tracking_uri(${text(origin)})`,
    "traces = tracehound.search_traces(",
    `    experiment_ids=${experiments},`,
    ...(filter ? [`    filter_string=${text(filter)},`] : []),
    ...(shown.order ? [`    order_by=[${text(shown.order)}],`] : []),
    ")",
    "",
  ].join("\n");
}

/** Between single quotes a shell takes everything as it is, but for these themselves. */
const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

export function asCurl(shown: Shown, origin: string): string {
  const filter = inTime(shown);
  const asked = {
    ...(filter && { filter }),
    ...(shown.experiment && { experiments: [shown.experiment] }),
    ...(shown.order && { order_by: [shown.order] }),
    limit: 100,
  };
  return [
    `curl --silent --show-error ${quoted(`${origin}/api/v1/traces/search`)} \\`,
    "  --header 'Content-Type: application/json' \\",
    `  --data ${quoted(JSON.stringify(asked))}`,
    "",
  ].join("\n");
}
