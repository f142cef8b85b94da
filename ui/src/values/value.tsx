/** A value in the form that suits it best, and in the others. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Copy } from "../page/copy";
import { Chat, toMessages } from "./chat";
import { JsonView } from "./json";
import { looksLikeMarkdown, Markdown } from "./markdown";
import { Text } from "./text";

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** A single argument that is a text is read as that text. */
function lone(value: unknown): string | null {
  if (typeof value === "string") return value;
  const values = typeof value === "object" && value !== null ? Object.values(value) : [];
  return values.length === 1 && typeof values[0] === "string" ? values[0] : null;
}

interface Form {
  name: string;
  /** What is shown; null where the value has no such form. */
  show: (value: unknown) => ComponentChildren | null;
  isBest: (value: unknown) => boolean;
}

/** The first form that suits a value best is the one it is shown in at first. */
const FORMS: Form[] = [
  {
    name: "Chat",
    isBest: (value) => toMessages(value) !== null,
    show: (value) => {
      const messages = toMessages(value);
      return messages && <Chat messages={messages} />;
    },
  },
  {
    name: "Markdown",
    isBest: (value) => looksLikeMarkdown(lone(value) ?? ""),
    show: (value) => {
      const text = lone(value);
      return text === null ? null : <Markdown text={text} />;
    },
  },
  { name: "Text", isBest: (value) => typeof value === "string", show: (value) => <Text text={textOf(value)} /> },
  {
    name: "JSON",
    isBest: () => true,
    show: (value) => <JsonView value={value} />,
  },
];

export function Value({ title, value }: { title: string; value: unknown }) {
  const forms = FORMS.map((form) => ({ ...form, shown: form.show(value) })).filter((form) => form.shown !== null);
  const [chosen, choose] = useState<string | null>(null);
  const best = FORMS.find((form) => form.isBest(value))?.name;
  const form = forms.find((each) => each.name === chosen) ?? forms.find((each) => each.name === best) ?? forms[0];
  return (
    <section class="value">
      <header>
        <h3>{title}</h3>
        <fieldset class="forms">
          <legend class="unseen">{title} as</legend>
          {forms.map(({ name }) => (
            <button
              key={name}
              type="button"
              class="plain"
              aria-pressed={name === form.name}
              onClick={() => choose(name)}
            >
              {name}
            </button>
          ))}
        </fieldset>
        <span class="space" />
        <Copy text={() => textOf(value)} />
      </header>
      {form.shown}
    </section>
  );
}
