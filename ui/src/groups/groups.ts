/** Sessions or users: which there are, and then what all traces of those that are shown add up to. */
import { useEffect, useState } from "preact/hooks";
import { added, quote } from "../filter/compose";
import { type Group, type Problem, readStats, type Scope, searchGroups } from "../page/api";

export type FieldName = "session" | "user";
type Numbers = Record<string, number | null>;

const PAGE = 50; // values that one condition may name

export interface Found {
  groups: Group[];
  /** By value; what is not there yet is on its way. */
  numbers: ReadonlyMap<string, Numbers>;
  /** Reads what comes behind; null where nothing does. */
  more: (() => void) | null;
  problem: Problem | null;
  isLoading: boolean;
}

async function readNumbers(asked: Scope, field: FieldName, values: string[], signal: AbortSignal) {
  const metrics = ["count", "errors", "total_tokens", "cost", "latency_mean", field === "user" ? "sessions" : "users"];
  const condition = `attributes.${field} IN (${values.map(quote).join(", ")})`;
  const filter = added(asked.filter ?? "", condition);
  const found = await readStats({ ...asked, filter, group_by: [`attributes.${field}`], metrics }, signal);
  return found.rows.map(([value, ...numbers]): [string, Numbers] => [
    String(value),
    Object.fromEntries(metrics.map((name, at) => [name, numbers[at] as number | null])),
  ]);
}

export function useGroups(scope: Scope, field: FieldName): Found {
  const [groups, setGroups] = useState<Group[]>([]);
  const [numbers, setNumbers] = useState<ReadonlyMap<string, Numbers>>(new Map());
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, ask] = useState<{ scope: Scope; after: string | null } | null>(null);
  const present = asked?.scope === scope ? asked : { scope, after: null };
  const [done, setDone] = useState<typeof present | null>(null);

  useEffect(() => {
    const own = new AbortController();
    const { after } = present;
    searchGroups({ ...scope, field, limit: PAGE, cursor: after }, own.signal)
      .then((page) => {
        // One that did something last week, too, comes again with the traces of last week.
        const before = after ? groups : [];
        const known = new Set(before.map((each) => each.value));
        const fresh = page.groups.filter((each) => !known.has(each.value));
        setGroups([...before, ...fresh]);
        setCursor(page.next_cursor);
        setProblem(null);
        setDone(present);
        const values = fresh.map((each) => each.value);
        const parts = Array.from({ length: Math.ceil(values.length / PAGE) }, (_, at) =>
          values.slice(at * PAGE, (at + 1) * PAGE),
        );
        return Promise.all(parts.map((part) => readNumbers(scope, field, part, own.signal)));
      })
      .then((read) => setNumbers((known) => new Map([...(present.after ? known : []), ...read.flat()])))
      .catch((error) => {
        if (own.signal.aborted) return;
        setProblem(error);
        setDone(present);
      });
    return () => own.abort();
  }, [scope, field, present.after]);

  const isLoading = done?.scope !== scope || done.after !== present.after;
  return {
    groups,
    numbers,
    more: cursor ? () => ask({ scope, after: cursor }) : null,
    problem,
    isLoading,
  };
}
