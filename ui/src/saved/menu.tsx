/** Searches that have a name: they lie in the store, so that everyone who looks at it has them. */
import { useState } from "preact/hooks";
import { get, go } from "../page/address";
import { ask, type Problem } from "../page/api";
import { closeMenu, Menu } from "../page/menu";
import { titleOfRange } from "../page/times";
import { refresh } from "../traces/rows";

export const SAVED_MENU = "saved";

interface Saved {
  name: string;
  filter: string;
  order_by: string[];
  experiments: string[];
  since: string | null;
  until: string | null;
}

const path = (name: string) => `/saved-searches/${encodeURIComponent(name)}`;
const list = () => ask<{ searches: Saved[] }>("GET", "/saved-searches").then((page) => page.searches);

/** What the address says of the search that is shown. */
const shown = () => ({
  filter: get("filter"),
  order_by: get("order") ? [get("order")] : [],
  experiments: get("experiment") ? [get("experiment")] : [],
  since: get("since") || null,
  until: get("until") || null,
});

function show(saved: Saved): void {
  closeMenu(SAVED_MENU);
  refresh();
  go({
    filter: saved.filter,
    order: saved.order_by[0] ?? "",
    experiment: saved.experiments[0] ?? "",
    since: saved.since ?? "",
    until: saved.until ?? "",
  });
}

/** The table has one order and one experiment, or all: a search of several is for the command line. */
const isShowable = (saved: Saved) => saved.order_by.length < 2 && saved.experiments.length < 2;

const told = (saved: Saved) =>
  [
    saved.filter || "every trace",
    ...saved.experiments.map((each) => `in ${each}`),
    ...(saved.since || saved.until ? [titleOfRange(saved.since ?? "", saved.until ?? "")] : []),
    ...saved.order_by.map((each) => `by ${each}`),
  ].join(" · ");

export function SavedMenu() {
  const [searches, setSearches] = useState<Saved[]>([]);
  const [problem, setProblem] = useState("");
  const read = () => list().then(setSearches, () => undefined); // the table tells what is wrong with the server
  const change = (done: Promise<unknown>) =>
    done.then(
      () => {
        setProblem("");
        return read();
      },
      (error: Problem) => setProblem(error.message),
    );
  return (
    <Menu id={SAVED_MENU} label="Saved" title="Saved searches" onOpen={read}>
      <ul class="choices saved">
        {searches.map((each) => (
          <li key={each.name}>
            <button
              type="button"
              class="plain"
              disabled={!isShowable(each)}
              title={isShowable(each) ? told(each) : `tracehound search --saved '${each.name}' shows it: ${told(each)}`}
              onClick={() => show(each)}
            >
              {each.name} <span class="aside">{told(each)}</span>
            </button>
            <button
              type="button"
              class="quiet"
              aria-label={`Delete the search ${each.name}`}
              onClick={() => change(ask("DELETE", path(each.name)))}
            >
              ×
            </button>
          </li>
        ))}
        {!searches.length && <li class="aside">No search has been saved.</li>}
      </ul>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          const name = String(new FormData(form).get("name") ?? "").trim();
          if (name) change(ask("PUT", path(name), shown()).then(() => form.reset()));
        }}
      >
        <label>
          Name <input name="name" required autocomplete="off" maxLength={100} />
        </label>
        <button type="submit">Save what is shown</button>
        {problem && (
          <p class="error" role="alert">
            {problem}
          </p>
        )}
      </form>
    </Menu>
  );
}
