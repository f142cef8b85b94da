import { useEffect, useState } from "preact/hooks";
import { ComparePage } from "./compare/page";
import { get, go, linkTo } from "./page/address";
import { readExperiments } from "./page/api";
import { Help } from "./page/help";
import { isHelpOpen, onKeys } from "./page/keys";
import { theme, toggleTheme } from "./page/theme";
import { noteChange } from "./trace/open";
import { TracePage } from "./trace/page";
import { TracesPage } from "./traces/page";
import { startListening, startReading } from "./traces/rows";
import { TimeRange } from "./traces/time-range";

/** What the address says of one trace, or of another page than the table, taken out of it. */
const TABLE = { place: "", trace: "", span: "", view: "", find: "" };

export function App() {
  useEffect(startReading, []);
  useEffect(() => startListening(noteChange), []);
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
  const trace = get("trace");
  return (
    <>
      <header class="top">
        <a
          class="home"
          href={linkTo(TABLE)}
          onClick={(event) => {
            event.preventDefault();
            go(TABLE);
          }}
        >
          Tracehound
        </a>
        <a
          class="to-page"
          href={linkTo({ ...TABLE, place: "compare" })}
          aria-current={get("place") === "compare" ? "page" : undefined}
          onClick={(event) => {
            event.preventDefault();
            go({ ...TABLE, place: "compare" });
          }}
        >
          Compare
        </a>
        <Experiments />
        {!trace && <TimeRange />}
        <span class="space" />
        <button type="button" class="quiet" onClick={toggleTheme} title="Dark or light (d)">
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" class="quiet for-keys" title="Keys (?)" onClick={() => (isHelpOpen.value = true)}>
          Keys
        </button>
      </header>
      {trace ? <TracePage key={trace} id={trace} /> : get("place") === "compare" ? <ComparePage /> : <TracesPage />}
      <Help />
    </>
  );
}

function Experiments() {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    readExperiments().then(
      (found) => setNames(found.map((each) => each.name).sort()),
      () => undefined, // the table tells what is wrong with the server
    );
  }, []);
  const chosen = get("experiment");
  return (
    <select
      aria-label="Experiment"
      value={chosen}
      onChange={(event) => go({ experiment: event.currentTarget.value, trace: "" })}
    >
      <option value="">All experiments</option>
      {[...new Set([...names, ...(chosen ? [chosen] : [])])].map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
