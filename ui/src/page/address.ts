/** The address: everything that the page shows follows from it, so that a link shows the same to someone else. */
import { computed, signal } from "@preact/signals";

const search = signal(location.search);
addEventListener("popstate", () => {
  search.value = location.search;
});

const parameters = computed(() => new URLSearchParams(search.value));

export type Name =
  | "filter" // a filter of the language
  | "experiment" // its name; all without
  | "since" // "24h", or milliseconds since the epoch
  | "until" // milliseconds since the epoch
  | "order" // as the language writes it: "cost DESC"
  | "columns" // "state,name:240,…": names in their order, with a width where it was changed
  | "by" // the key whose values are compared
  | "baseline" // the value that is compared with
  | "candidate" // the value that is compared
  | "trace" // the id of the trace that is open
  | "span" // the id of the span that is selected in it
  | "view" // how its spans are shown
  | "find" // what is looked for in it
  | "place" // what is shown while no trace is open: a name of `page/places.tsx`
  | "session" // the id of the session that is read as a conversation
  | "with"; // the id of the trace that the open one is compared with

export const get = (name: Name): string => parameters.value.get(name) ?? "";

type Changes = Partial<Record<Name, string | null>>;

function changed(changes: Changes): string {
  const next = new URLSearchParams(search.peek());
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return `?${next}`;
}

/** An address that differs from the present one by these values; an empty one is left out. */
export function linkTo(changes: Changes): string {
  search.value; // who shows a link shows another one when the address is another
  return changed(changes);
}

/** Go to an address that differs by these values; `replace` where the way back should not lead through it. */
export function go(changes: Changes, { replace = false } = {}): void {
  const next = changed(changes);
  if (next === search.peek()) return;
  try {
    history[replace ? "replaceState" : "pushState"](null, "", next === "?" ? location.pathname : next);
  } catch {
    // a frame of a notebook has no address of its own
  }
  search.value = next;
}

/** What a link to a place changes of the address: whatever was open is closed. */
export const toPlace = (name: string): Changes => ({
  place: name,
  trace: "",
  span: "",
  view: "",
  find: "",
  session: "",
  with: "",
});
