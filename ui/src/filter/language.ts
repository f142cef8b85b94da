/** The colours of the language. What a filter means is the server's to say: here only its pieces are told apart. */
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const TOKENS: [pattern: RegExp, name: string][] = [
  [/'(?:[^']|'')*'?/y, "string"],
  [/"[^"]*"?/y, "invalid"],
  [/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/iy, "number"],
  [/(?:and|or|not|in|between|like|ilike|rlike|contains|is|null|then)(?![\w.])/iy, "keyword"],
  [/(?:true|false|timestamp|interval|now)(?![\w.])/iy, "atom"],
  [/(?:span|count)(?=\s*\()/iy, "function"],
  [/[\p{L}_][\p{L}\p{N}_]*(?:\.(?:[\p{L}\p{N}_]+|`[^`]*`?))*/uy, "propertyName"],
  [/!=|<=|>=|[=<>]/y, "operator"],
];

const language = StreamLanguage.define({
  token(stream) {
    if (stream.eatSpace()) return null;
    for (const [pattern, name] of TOKENS) {
      pattern.lastIndex = stream.pos;
      const found = pattern.exec(stream.string);
      if (found) {
        stream.pos += found[0].length;
        return name;
      }
    }
    stream.next();
    return null;
  },
  tokenTable: { function: tags.keyword },
});

const colours = HighlightStyle.define([
  { tag: tags.string, color: "var(--code-string)" },
  { tag: tags.number, color: "var(--code-number)" },
  { tag: tags.atom, color: "var(--code-number)" },
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.operator, color: "var(--muted)" },
  { tag: tags.invalid, color: "var(--error)" },
  { tag: tags.propertyName, color: "var(--text)" },
]);

export const filterLanguage = [language, syntaxHighlighting(colours)];
