/** What somebody said, out of the JSON around it. */

/** The one text of a preview, where it is an object with only that; else the preview as it is. */
export function spoken(preview: string): string {
  let value: unknown = preview;
  try {
    value = JSON.parse(preview);
  } catch {
    return preview; // it was cut, or is no JSON
  }
  const values = typeof value === "object" && value !== null ? Object.values(value) : [value];
  return values.length === 1 && typeof values[0] === "string" ? values[0] : preview;
}
