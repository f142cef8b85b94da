/** What the page shows while no trace is open: a row of this table each. The first one is shown where none is named. */
import type { ComponentChildren } from "preact";
import { ComparePage } from "../compare/page";
import { Sessions, Users } from "../groups/page";
import { TracesPage } from "../traces/page";
import { get } from "./address";

export interface Place {
  /** How the address names it; empty for the first. */
  name: string;
  title: string;
  /** The key that leads there. */
  key: string;
  show: () => ComponentChildren;
}

export const PLACES: Place[] = [
  { name: "", title: "Traces", key: "1", show: () => <TracesPage /> },
  { name: "sessions", title: "Sessions", key: "2", show: () => <Sessions /> },
  { name: "users", title: "Users", key: "3", show: () => <Users /> },
  { name: "compare", title: "Compare", key: "4", show: () => <ComparePage /> },
];

export const presentPlace = (): Place => PLACES.find((each) => each.name === get("place")) ?? PLACES[0];
