/** A value as the lines of its JSON: only what is open is looked at, so that any size is shown at once. */

export interface Line {
  path: string;
  depth: number;
  label: string;
  value: unknown;
  /** How many values are below; -1 where it is no list and no object. */
  count: number;
  isOpen: boolean;
}

const OPEN_LINES = 200;
const LOOKED_AT = 200_000; // values that a search looks at

const children = (value: unknown): [string, unknown][] => {
  if (Array.isArray(value)) return value.map((each, index) => [String(index), each]);
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
};

const isNode = (value: unknown): boolean => typeof value === "object" && value !== null;

/** Whether so few lines would be shown with everything open that it can be. */
export function isSmall(value: unknown): boolean {
  let left = OPEN_LINES;
  const waiting = [value];
  while (waiting.length && left > 0) {
    for (const [, child] of children(waiting.pop())) {
      left -= 1;
      if (isNode(child)) waiting.push(child);
    }
  }
  return left > 0;
}

const pathOf = (above: string, label: string) => `${above}/${label.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** The lines of what is open. `turned` are the paths that are not as they are at first. */
export function toLines(value: unknown, turned: ReadonlySet<string>): Line[] {
  const isAllOpen = isSmall(value);
  const lines: Line[] = [];
  const waiting: { path: string; depth: number; label: string; value: unknown }[] = [
    { path: "", depth: 0, label: "", value },
  ];
  while (waiting.length) {
    const each = waiting.pop() as (typeof waiting)[number];
    const below = isNode(each.value) ? children(each.value) : [];
    const isOpen = (isAllOpen || each.depth === 0) !== turned.has(each.path);
    lines.push({ ...each, count: isNode(each.value) ? below.length : -1, isOpen });
    if (isOpen) {
      for (const [label, child] of below.toReversed()) {
        waiting.push({ path: pathOf(each.path, label), depth: each.depth + 1, label, value: child });
      }
    }
  }
  return lines;
}

/** The lines that hold a text, in any case, and what is above them. */
export function findLines(value: unknown, text: string): Line[] {
  const wanted = text.toLowerCase();
  const found: Line[] = [];
  let left = LOOKED_AT;
  const walk = (path: string, depth: number, label: string, value: unknown): boolean => {
    left -= 1;
    const at = found.length;
    const below = children(value);
    found.push({ path, depth, label, value, count: isNode(value) ? below.length : -1, isOpen: true });
    let isHere =
      label.toLowerCase().includes(wanted) || (!isNode(value) && String(value).toLowerCase().includes(wanted));
    for (const [name, child] of below) {
      if (left <= 0 || depth > 500) break;
      if (walk(pathOf(path, name), depth + 1, name, child)) isHere = true;
    }
    if (!isHere) found.length = at;
    return isHere;
  };
  walk("", 0, "", value);
  return found;
}
