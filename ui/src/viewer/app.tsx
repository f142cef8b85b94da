/** The viewer: the trace of a file or, where there are several, a list of them to choose from. */
import { useEffect } from "preact/hooks";
import { get, go } from "../page/address";
import type { Trace } from "../page/api";
import { count } from "../page/format";
import { Help } from "../page/help";
import { isHelpOpen, onKeys } from "../page/keys";
import { toggleMenu } from "../page/menu";
import { Notice } from "../page/notice";
import { theme, toggleTheme } from "../page/theme";
import { TracePage } from "../trace/page";
import { COLUMN_MENU, ColumnMenu } from "../traces/column-menu";
import { rows } from "../traces/rows";
import { Table } from "../traces/table";

export function Viewer({ traces }: { traces: Trace[] }) {
  useEffect(
    () =>
      onKeys({
        "?": () => {
          isHelpOpen.value = true;
        },
        d: toggleTheme,
      }),
    [],
  );
  const trace = get("trace") || (traces.length === 1 ? traces[0].trace_id : "");
  return (
    <>
      <header class="top">
        <b class="home">Tracehound</b>
        {!trace && <Find />}
        <span class="space" />
        {!trace && <ColumnMenu />}
        <button type="button" class="quiet" onClick={toggleTheme} title="Dark or light (d)">
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" class="quiet for-keys" title="Keys (?)" onClick={() => (isHelpOpen.value = true)}>
          Keys
        </button>
      </header>
      {trace ? <TracePage key={trace} id={trace} /> : <List />}
      <Help />
    </>
  );
}

function Find() {
  useEffect(
    () =>
      onKeys({
        "/": () => document.querySelector<HTMLInputElement>("#find-traces")?.focus(),
        c: () => toggleMenu(COLUMN_MENU),
      }),
    [],
  );
  return (
    <>
      <input
        id="find-traces"
        type="search"
        class="small"
        placeholder="Find traces"
        aria-label="Find traces"
        value={get("filter")}
        onInput={(event) => go({ filter: event.currentTarget.value }, { replace: true })}
      />
      <span class="muted" role="status">
        {count(rows.value.length)} {rows.value.length === 1 ? "trace" : "traces"}
      </span>
    </>
  );
}

function List() {
  return (
    <main class="traces">
      <h1 class="unseen">Traces</h1>
      <div class="below">
        {rows.value.length ? (
          <Table />
        ) : (
          <Notice title={get("filter") ? "No trace has this text" : "There are no traces in this file"} />
        )}
      </div>
    </main>
  );
}
