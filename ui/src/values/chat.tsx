/** Messages of a chat, in the shapes that providers give them. */
import { visible } from "../page/format";
import { JsonView } from "./json";
import { Markdown } from "./markdown";

interface Message {
  role: string;
  text: string;
  calls: { name: string; arguments: unknown }[];
}

type Found = Record<string, unknown>;

const isRecord = (value: unknown): value is Found =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The text of a message's content: a text, or a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content === null || content === undefined ? "" : JSON.stringify(content);
  return content
    .map((part) => {
      if (typeof part === "string") return part;
      if (isRecord(part) && typeof part.text === "string") return part.text;
      return isRecord(part) && part.type === "tool_use" ? "" : `[${isRecord(part) ? (part.type ?? "part") : "part"}]`;
    })
    .filter(Boolean)
    .join("\n\n");
}

function decoded(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function callsOf(message: Found): Message["calls"] {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.filter(isRecord) : [];
  const parts = Array.isArray(message.content) ? message.content.filter(isRecord) : [];
  return [
    ...calls.map((call) => {
      const called = isRecord(call.function) ? call.function : call;
      return { name: String(called.name ?? "tool"), arguments: decoded(called.arguments ?? called.args) };
    }),
    ...parts
      .filter((part) => part.type === "tool_use")
      .map((part) => ({ name: String(part.name ?? "tool"), arguments: part.input })),
  ];
}

const toMessage = (message: Found): Message => ({
  role: String(message.role ?? message.type ?? "message"),
  text: textOf(message.content),
  calls: callsOf(message),
});

const isMessage = (value: unknown): value is Found =>
  isRecord(value) && typeof (value.role ?? value.type) === "string" && ("content" in value || "tool_calls" in value);

const allMessages = (value: unknown): Message[] | null =>
  Array.isArray(value) && value.length > 0 && value.every(isMessage) ? value.map(toMessage) : null;

/** The messages in inputs or outputs; null where they are no chat. */
export function toMessages(value: unknown): Message[] | null {
  if (isMessage(value)) return [toMessage(value)];
  if (!isRecord(value)) return allMessages(value);
  if (Array.isArray(value.choices))
    return allMessages(value.choices.map((choice) => isRecord(choice) && choice.message));
  const listed = allMessages(value.messages) ?? allMessages(value.input);
  const system = typeof value.system === "string" ? [{ role: "system", text: value.system, calls: [] }] : [];
  return listed && [...system, ...listed];
}

export function Chat({ messages }: { messages: Message[] }) {
  return (
    <ol class="chat">
      {messages.map((message, index) => (
        <li key={index} class={/^(user|human)$/.test(message.role) ? "user" : ""}>
          <h4>{visible(message.role)}</h4>
          {message.text && <Markdown text={message.text} />}
          {message.calls.map((call, place) => (
            <div class="call" key={place}>
              <h5>calls {visible(call.name)}</h5>
              <JsonView value={call.arguments} />
            </div>
          ))}
        </li>
      ))}
    </ol>
  );
}
