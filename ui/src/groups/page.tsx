/** Sessions and users as tables: those first that did something last. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { equals } from "../filter/compose";
import { focusFilter } from "../filter/editor";
import { get, go, toPlace } from "../page/address";
import type { Group } from "../page/api";
import { brief, cost, count, moment, oneLine, percent, short, time } from "../page/format";
import { onKeys } from "../page/keys";
import { Link } from "../page/link";
import { toggleMenu } from "../page/menu";
import { Notice } from "../page/notice";
import { StateMark } from "../traces/columns";
import { FilterBar } from "../traces/filter-bar";
import { refresh, scope } from "../traces/rows";
import { TIMES } from "../traces/time-range";
import { spoken } from "../values/spoken";
import { type FieldName, useGroups } from "./groups";

type Numbers = Record<string, number | null> | undefined;

interface Column {
  title: string;
  isNumber?: boolean;
  show: (group: Group, numbers: Numbers) => ComponentChildren;
}

/** A number that is on its way shows nothing: it is not zero. */
const number = (title: string, name: string, told: (value: number) => string): Column => ({
  title,
  isNumber: true,
  show: (_, numbers) => {
    const value = numbers?.[name];
    return value === undefined || value === null ? "" : told(value);
  },
});

const ERRORS: Column = {
  title: "Errors",
  isNumber: true,
  show: (_, numbers) => {
    const [errors, all] = [numbers?.errors ?? 0, numbers?.count ?? 0];
    return errors ? <span class="error">{`${count(errors)} · ${percent(errors / all)}`}</span> : "";
  },
};

const LAST: Column = {
  title: "Last",
  show: ({ last }) => <span title={moment(last.request_time_ms)}>{time(last.request_time_ms)}</span>,
};

const NUMBERS: Column[] = [
  ERRORS,
  number("Mean", "latency_mean", brief),
  number("Tokens", "total_tokens", short),
  number("Cost", "cost", cost),
];

const only = (field: FieldName, value: string) => ({ ...toPlace(""), filter: equals(`attributes.${field}`, value) });

const KINDS: Record<FieldName, { title: string; columns: Column[]; none: ComponentChildren }> = {
  session: {
    title: "Sessions",
    columns: [
      {
        title: "Session",
        show: ({ value }) => (
          <Link to={{ session: value }}>
            <strong>{oneLine(value, 60)}</strong>
          </Link>
        ),
      },
      number("Turns", "count", count),
      LAST,
      {
        title: "User",
        show: ({ last }) => oneLine(last.metadata["mlflow.trace.user"] ?? "", 40),
      },
      ...NUMBERS,
      {
        title: "Last said",
        show: ({ last }) => oneLine(spoken(last.response_preview ?? last.request_preview ?? ""), 160),
      },
    ],
    none: (
      <p>
        A trace is of a session where the program says so: <code>tracehound.update_current_trace(session_id="…")</code>
      </p>
    ),
  },
  user: {
    title: "Users",
    columns: [
      {
        title: "User",
        show: ({ value }) => (
          <Link to={only("user", value)}>
            <strong>{oneLine(value, 60)}</strong>
          </Link>
        ),
      },
      number("Traces", "count", count),
      number("Sessions", "sessions", count),
      LAST,
      { title: "State", show: ({ last }) => <StateMark state={last.state} /> },
      ...NUMBERS,
      { title: "Last asked", show: ({ last }) => oneLine(spoken(last.request_preview ?? ""), 160) },
    ],
    none: (
      <p>
        A trace is of a user where the program says so: <code>tracehound.update_current_trace(user="…")</code>
      </p>
    ),
  },
};

export const Sessions = () => <GroupsPage field="session" />;
export const Users = () => <GroupsPage field="user" />;

function GroupsPage({ field }: { field: FieldName }) {
  const { title, columns, none } = KINDS[field];
  const found = useGroups(scope.value, field);
  useEffect(() => onKeys({ "/": focusFilter, r: refresh, t: () => toggleMenu(TIMES) }), []);
  return (
    <main class="groups">
      <h1 class="unseen">{title}</h1>
      <FilterBar onFields={() => undefined} />
      <div class="above">
        <span class="muted" role="status">
          {found.isLoading && !found.groups.length
            ? "Looking…"
            : `${count(found.groups.length)}${found.more ? "+" : ""} ${title.toLowerCase()}`}
        </span>
      </div>
      {found.problem ? (
        <Notice title={`The ${title.toLowerCase()} cannot be shown`} isError>
          <p>{found.problem.message}</p>
          <button type="button" onClick={refresh}>
            Try again
          </button>
        </Notice>
      ) : !found.groups.length && !found.isLoading ? (
        <Notice title={`No ${title.toLowerCase()}`}>
          {none}
          {(get("filter") || get("since") || get("experiment")) && (
            <button type="button" onClick={() => go({ filter: "", since: "", until: "", experiment: "" })}>
              In all traces
            </button>
          )}
        </Notice>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached with the keyboard
        <section class="sheet" aria-label={title} aria-busy={found.isLoading} tabIndex={0}>
          <table>
            <thead>
              <tr>
                {columns.map((each) => (
                  <th key={each.title} scope="col" class={each.isNumber ? "number" : ""}>
                    {each.title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {found.groups.map((group) => (
                <tr key={group.value}>
                  {columns.map((each) => (
                    <td key={each.title} class={each.isNumber ? "number" : ""}>
                      {each.show(group, found.numbers.get(group.value))}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          {found.more && (
            <p class="more">
              <button type="button" disabled={found.isLoading} onClick={found.more}>
                Show more
              </button>
            </p>
          )}
        </section>
      )}
    </main>
  );
}
