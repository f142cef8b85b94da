/** Which row of the table is chosen; -1 where none is. */
import { signal } from "@preact/signals";

export const chosen = signal(-1);

export function choose(index: number): void {
  chosen.value = index;
}
