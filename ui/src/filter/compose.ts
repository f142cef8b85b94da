/** Filters made by a click: a condition is put to a filter, or taken out of it again. */

export const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;

export const quoteName = (name: string): string =>
  /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;

export const equals = (field: string, value: string | null): string =>
  value === null ? `${field} IS NULL` : `${field} = ${quote(value)}`;

const STRINGS = /'(?:[^']|'')*'|`[^`]*`/g;

/** Whether an OR stands outside of all parentheses, so that an AND would bind to a part of the filter alone. */
function isLoose(filter: string): boolean {
  let depth = 0;
  for (const [piece] of filter.replace(STRINGS, "''").matchAll(/[()]|\bor\b/gi)) {
    if (piece === "(") depth += 1;
    else if (piece === ")") depth -= 1;
    else if (depth === 0) return true;
  }
  return false;
}

export const has = (filter: string, condition: string): boolean => filter.split(/\s+AND\s+/).includes(condition);

export function added(filter: string, condition: string): string {
  if (!filter.trim()) return condition;
  return `${isLoose(filter) ? `(${filter})` : filter} AND ${condition}`;
}

export function toggled(filter: string, condition: string): string {
  if (!has(filter, condition)) return added(filter, condition);
  return filter
    .split(/\s+AND\s+/)
    .filter((each) => each !== condition)
    .join(" AND ");
}
