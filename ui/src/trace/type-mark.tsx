/** What kind of step a span is: two letters and a tone; colour tells nothing that the letters do not. */

const TYPES: Record<string, [letters: string, tone: string]> = {
  LLM: ["LM", "model"],
  CHAT_MODEL: ["CM", "model"],
  EMBEDDING: ["EM", "model"],
  RERANKER: ["RR", "data"],
  RETRIEVER: ["RE", "data"],
  MEMORY: ["ME", "data"],
  TOOL: ["TO", "tool"],
  AGENT: ["AG", "flow"],
  CHAIN: ["CH", "flow"],
  WORKFLOW: ["WF", "flow"],
  TASK: ["TA", "flow"],
  PARSER: ["PA", "flow"],
  GUARDRAIL: ["GU", "tool"],
  EVALUATOR: ["EV", "tool"],
};

export const toneOf = (type: string | null): string => TYPES[type ?? ""]?.[1] ?? "other";

export function TypeMark({ type }: { type: string | null }) {
  const [letters, tone] = TYPES[type ?? ""] ?? ["··", "other"];
  return (
    <abbr class={`type ${tone}`} title={type ?? "no type"}>
      {letters}
    </abbr>
  );
}
