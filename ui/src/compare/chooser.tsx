/** What is compared: a key and two of its values, completed from the data. */
import { useEffect, useState } from "preact/hooks";
import { go } from "../page/address";
import type { Field } from "../page/api";

/** A value as it is, of one that is written in a filter. */
export const plain = (written: string): string =>
  /^'.*'$/s.test(written) ? written.slice(1, -1).replaceAll("''", "'") : written;

const valuesOf = (fields: Field[], by: string): string[] =>
  (fields.find((each) => each.field === by || each.field === `attributes.${by}`)?.values ?? []).map(plain);

const ORDER = new Intl.Collator("en", { numeric: true });
const MOST_PICKS = 8;
const MOST_VALUES = 30;
const UNLIKELY = /^(attributes\.(status|session|user|trace_id|run_id|client_request_id)|trace\.|span\.status)/;
const SOURCE = "metadata.`mlflow.source.git.commit`";

export interface Pick {
  by: string;
  baseline: string;
  candidate: string;
}

/** Keys that have a few values, with the two most frequent ones of them, the smaller one as the baseline. */
export function picksOf(fields: Field[]): Pick[] {
  const likely = fields.filter(
    ({ field, kind, values }) =>
      (kind === "any" || kind === "text") &&
      values.length >= 2 &&
      values.length <= MOST_VALUES &&
      !UNLIKELY.test(field) &&
      (!field.includes("mlflow.") || field === SOURCE),
  );
  const rank = ({ field }: Field) => (/version|commit|model|env|flag/.test(field) ? 0 : 1);
  return likely
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST_PICKS)
    .map(({ field, values }) => {
      const [baseline, candidate] = values.slice(0, 2).map(plain).sort(ORDER.compare);
      return { by: field, baseline, candidate };
    });
}

export function Chooser({ fields, by, baseline, candidate }: Pick & { fields: Field[] }) {
  const keys = fields.filter(({ kind, values }) => kind !== "texts" && kind !== "time" && values.length > 0);
  const values = [...valuesOf(fields, by)].sort(ORDER.compare);
  const [typed, type] = useState<Pick>({ by, baseline, candidate });
  useEffect(() => type({ by, baseline, candidate }), [by, baseline, candidate]);
  const field = (name: keyof Pick) => ({
    name,
    value: typed[name],
    autocomplete: "off",
    spellcheck: false,
    onInput: (event: { currentTarget: HTMLInputElement }) => {
      const { value } = event.currentTarget;
      type((before) => ({ ...before, [name]: value }));
    },
  });
  return (
    <form
      class="chooser"
      onSubmit={(event) => {
        event.preventDefault();
        go({ by: typed.by.trim(), baseline: typed.baseline.trim(), candidate: typed.candidate.trim() });
      }}
    >
      <label>
        Key
        <input
          {...field("by")}
          list="compare-keys"
          placeholder="tags.app_version"
          onChange={(event) => {
            const next = event.currentTarget.value.trim();
            if (next !== by) go({ by: next, baseline: "", candidate: "" });
          }}
        />
      </label>
      <label>
        Baseline
        <input {...field("baseline")} list="compare-values" />
      </label>
      <button
        type="button"
        class="quiet"
        title="Swap the two values"
        disabled={!baseline && !candidate}
        onClick={() => go({ baseline: candidate, candidate: baseline })}
      >
        <span aria-hidden="true">⇄</span>
        <span class="unseen">Swap the two values</span>
      </button>
      <label>
        Candidate
        <input {...field("candidate")} list="compare-values" />
      </label>
      <button type="submit">Compare</button>
      <datalist id="compare-keys">
        {keys.map((each) => (
          <option key={each.field} value={each.field} />
        ))}
      </datalist>
      <datalist id="compare-values">
        {values.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </form>
  );
}
