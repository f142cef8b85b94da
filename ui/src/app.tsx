import { useEffect, useState } from "preact/hooks";
import { DiffPage } from "./diff/page";
import { ConversationPage } from "./groups/conversation";
import { get, go, linkTo, toPlace } from "./page/address";
import { readExperiments } from "./page/api";
import { Help } from "./page/help";
import { isHelpOpen, onKeys } from "./page/keys";
import { PLACES, presentPlace } from "./page/places";
import { theme, toggleTheme } from "./page/theme";
import { noteChange } from "./trace/open";
import { TracePage } from "./trace/page";
import { startListening, startReading } from "./traces/rows";
import { TimeRange } from "./traces/time-range";

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
        ...Object.fromEntries(PLACES.map(({ key, name }) => [key, () => go(toPlace(name))])),
      }),
    [],
  );
  const isList = !get("trace") && !get("session");
  return (
    <>
      <header class="top">
        <span class="home">Tracehound</span>
        <Places />
        <Experiments />
        {isList && <TimeRange />}
        <span class="space" />
        <button type="button" class="quiet" onClick={toggleTheme} title="Dark or light (d)">
          {theme.value === "dark" ? "Light" : "Dark"}
        </button>
        <button type="button" class="quiet for-keys" title="Keys (?)" onClick={() => (isHelpOpen.value = true)}>
          Keys
        </button>
      </header>
      <Shown />
      <Help />
    </>
  );
}

/** What the address names: two traces, one, a conversation, or a place. */
function Shown() {
  const [trace, other, session] = [get("trace"), get("with"), get("session")];
  if (trace && other) return <DiffPage key={`${trace} ${other}`} left={trace} right={other} />;
  if (trace) return <TracePage key={trace} id={trace} />;
  if (session) return <ConversationPage key={session} id={session} />;
  return <>{presentPlace().show()}</>;
}

function Places() {
  return (
    <nav class="places" aria-label="Places">
      {PLACES.map(({ name, title, key }) => (
        <a
          key={name}
          href={linkTo(toPlace(name))}
          title={`${title} (${key})`}
          aria-current={presentPlace().name === name ? "page" : undefined}
          onClick={(event) => {
            event.preventDefault();
            go(toPlace(name));
          }}
        >
          {title}
        </a>
      ))}
    </nav>
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
      onChange={(event) => go({ experiment: event.currentTarget.value, trace: "", session: "", with: "" })}
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
