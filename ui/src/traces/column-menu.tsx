/** Which columns there are, and in which order. */
import { get, go } from "../page/address";
import { Menu } from "../page/menu";
import { COLUMNS, parseColumns, printColumns, type Shown } from "./columns";
import { moveColumn } from "./table";

export const COLUMN_MENU = "columns";

export function ColumnMenu() {
  const shown = parseColumns(get("columns"));
  const names = shown.map((each) => each.column.name);
  const hidden = COLUMNS.filter((each) => !names.includes(each.name));
  const show = (next: Shown[]) => go({ columns: printColumns(next) }, { replace: true });
  return (
    <Menu id={COLUMN_MENU} label="Columns" title="Columns (c)">
      <ul class="columns">
        {shown.map((each, index) => (
          <li key={each.column.name}>
            <label>
              <input
                type="checkbox"
                checked
                disabled={shown.length === 1}
                onChange={() => show(shown.filter((other) => other !== each))}
              />
              {each.column.title}
            </label>
            <button
              type="button"
              class="quiet"
              aria-label={`${each.column.title} to the left`}
              disabled={index === 0}
              onClick={() => moveColumn(shown, each.column.name, names[index - 1])}
            >
              ↑
            </button>
            <button
              type="button"
              class="quiet"
              aria-label={`${each.column.title} to the right`}
              disabled={index === shown.length - 1}
              onClick={() => moveColumn(shown, each.column.name, names[index + 1])}
            >
              ↓
            </button>
          </li>
        ))}
        {hidden.map((column) => (
          <li key={column.name}>
            <label>
              <input
                type="checkbox"
                checked={false}
                onChange={() => show([...shown, { column, width: column.width }])}
              />
              {column.title}
            </label>
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => go({ columns: "" }, { replace: true })}>
        As at first
      </button>
    </Menu>
  );
}
