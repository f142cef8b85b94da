/** What may come next in a filter: a field, an operator, a value that the data has, or a word that joins. */
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";
import type { Field } from "../page/api";

const FIELD = String.raw`([\p{L}_][\p{L}\p{N}_]*(?:\.(?:[\p{L}\p{N}_]+|\x60[^\x60]*\x60))*)`;
const OPERATORS = String.raw`(?:[=<>]|!=|<=|>=|(?:not\s+)?(?:like|ilike|rlike|in\s*\((?:[^()]*,)?)|contains)`;

const VALUE = new RegExp(String.raw`${FIELD}\s*${OPERATORS}\s*('[^']*|[\w.+-]*)$`, "iu");
const JOINED = /(?:'|\)|\d|\bnull|\btrue|\bfalse)\s+(\w*)$/i;
const OPERATOR = new RegExp(String.raw`${FIELD}\s+([a-z ]*|[=!<>]+)$`, "iu");
const NAME = /(?:^|[\s(])([\p{L}_][\p{L}\p{N}_]*(?:\.[^\s=<>!(),]*)?)?$/u;

const TEXT = ["=", "!=", "IN (", "LIKE", "ILIKE", "RLIKE", "CONTAINS", "IS NULL", "IS NOT NULL"];
const ORDERED = ["=", "!=", "<", "<=", ">", ">=", "BETWEEN", "IS NULL", "IS NOT NULL"];
const EXACT = ["=", "!=", "IN ("];
const OPERATORS_OF: Record<string, string[]> = {
  state: EXACT,
  status: EXACT,
  text: TEXT,
  any: [...new Set([...TEXT, ...ORDERED])],
  value: [...new Set([...TEXT, ...ORDERED])],
  time: ORDERED,
  number: ORDERED,
  texts: ["CONTAINS", "LIKE", "ILIKE", "RLIKE"],
};
const JOINS = ["AND", "OR", "AND NOT"];
const STARTS = ["NOT", "span(", "count(span("];

const KINDS: Record<string, string> = { state: "state", time: "time", number: "number", texts: "text" };

export function completeFilter(fields: () => Field[]): CompletionSource {
  const find = (name: string) =>
    fields().find((each) => each.field === name) ?? fields().find((each) => each.field === `span.${name}`);

  const options = (labels: string[], type: string): Completion[] =>
    labels.map((label, index) => ({ label, type, apply: `${label} `.replace(/\( $/, "("), boost: -index }));

  return (context: CompletionContext): CompletionResult | null => {
    const before = context.state.sliceDoc(0, context.pos);
    const from = (word: string) => context.pos - word.length;

    const value = VALUE.exec(before);
    if (value) {
      const values = find(value[1])?.values ?? [];
      return values.length
        ? { from: from(value[2]), options: options(values, "constant"), validFor: /^'?[^']*$/ }
        : null;
    }
    const joined = JOINED.exec(before);
    if (joined) return { from: from(joined[1]), options: options(JOINS, "keyword"), validFor: /^\w*$/ };
    const operator = OPERATOR.exec(before);
    if (operator && find(operator[1])) {
      const allowed = OPERATORS_OF[find(operator[1])?.kind ?? "any"] ?? TEXT;
      return {
        from: from(operator[2]),
        options: options(allowed, "operator"),
        validFor: /^(?:[a-z ]*[a-z]|[=!<>]+)?$/i,
      };
    }
    const name = NAME.exec(before);
    if (!name || (!context.explicit && name[1] === undefined && before.trim() !== "")) return null;
    return {
      from: from(name[1] ?? ""),
      options: [
        ...fields().map((each) => ({
          label: each.field,
          type: "property",
          detail: KINDS[each.kind] ?? "",
          apply: `${each.field} `,
          boost: each.field.includes("mlflow.") ? -50 : 0,
        })),
        ...options(STARTS, "keyword"),
      ],
      validFor: /^[^\s=<>!(),]*$/,
    };
  };
}
