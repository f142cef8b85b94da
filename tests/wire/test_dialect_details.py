"""What single conventions and providers have that the others have not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.traces import part
from tests.wire.dialect_spans import Event, foreign_span
from tracehound.model.merge import merge_parts
from tracehound.model.span import Span
from tracehound.wire.dialects.translate import translate_part, translate_span

ASKED = {"role": "user", "content": "why?"}
SAID = {"role": "assistant", "content": "so"}


def read(attributes: dict[str, Any], *events: Event) -> Span:
    return translate_span(foreign_span(attributes, events=list(events)))


@pytest.mark.parametrize(
    ("attributes", "kind", "inputs", "outputs"),
    [
        ({"lmnr.span.type": "TOOL", "lmnr.span.input": '{"a": 1}', "lmnr.span.output": "2"}, "TOOL", {"a": 1}, "2"),
        ({"lmnr.span.type": "DEFAULT", "lmnr.span.input": "x"}, "CHAIN", "x", None),
        (
            {
                "gcp.vertex.agent.llm_request": json.dumps(
                    {
                        "model": "gemini-2.5-flash",
                        "config": {"system_instruction": "Be brief.", "temperature": 0.5},
                        "contents": [{"role": "user", "parts": [{"text": "why?"}]}],
                    }
                ),
                "gcp.vertex.agent.llm_response": '{"content": {"role": "model", "parts": [{"text": "so"}]}}',
            },
            "CHAT_MODEL",
            {
                "messages": [{"role": "system", "content": "Be brief."}, ASKED],
                "model": "gemini-2.5-flash",
                "temperature": 0.5,
            },
            {"choices": [{"index": 0, "finish_reason": None, "message": SAID}]},
        ),
        (
            {"gen_ai.operation.name": "execute_tool", "gcp.vertex.agent.tool_call_args": '{"a": 1}',
             "gcp.vertex.agent.tool_response": '{"b": 2}'},
            "TOOL", {"a": 1}, {"b": 2},
        ),
        ({"span.type": "agent", "input": "why?", "output": "so"}, "AGENT", "why?", "so"),
        (
            {"entity.type": "llm", "llm.messages": json.dumps([ASKED]), "output": "so"},
            "CHAT_MODEL", {"messages": [ASKED]}, {"choices": [{"index": 0, "finish_reason": None, "message": SAID}]},
        ),
        ({"lk.function_tool.name": "add", "lk.function_tool.arguments": '{"a":1}', "lk.function_tool.output": "2"},
         "TOOL", {"a": 1}, "2"),
        ({"lk.agent_name": "bot", "lk.user_input": "why?", "lk.response.text": "so"}, "AGENT", "why?", "so"),
    ],
)  # fmt: skip
def test_a_convention_that_is_a_table(attributes: dict[str, Any], kind: str, inputs: Any, outputs: Any) -> None:
    span = read(attributes)
    assert (span.span_type, span.inputs, span.outputs) == (kind, inputs, outputs)


def test_spring_ai_keeps_each_side_in_an_event() -> None:
    span = read(
        {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m"},
        Event("gen_ai.content.prompt", {"gen_ai.prompt": "why?"}),
        Event("gen_ai.content.completion", {"gen_ai.completion": "so"}),
    )
    assert span.inputs == {"messages": [ASKED], "model": "m"}
    assert span.outputs == {"choices": [{"index": 0, "finish_reason": None, "message": SAID}]}


def test_all_of_a_call_may_be_in_one_event() -> None:
    told = {
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "why?"}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "so"}]}]),
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    }
    chat = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"}
    span = read(chat, Event("gen_ai.client.inference.operation.details", told))
    assert span.inputs == {"messages": [{"role": "system", "content": "Be brief."}, ASKED]}
    assert span.outputs["choices"][0]["message"] == SAID


ANTHROPIC = {
    "model": "claude-sonnet-4-5",
    "system": [{"type": "text", "text": "Be brief."}],
    "max_tokens": 10,
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Hm."},
            {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "it"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "a dot"}]},
        ]},
    ],
    "tools": [{"name": "look", "description": "Look", "input_schema": {"type": "object"}}],
}  # fmt: skip
ANSWERED = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "A dot."}],
    "usage": {"input_tokens": 5, "output_tokens": 2, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 0},
}  # fmt: skip
CANONICAL = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]},
    {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [
        {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}},
    ]},
    {"role": "tool", "content": "a dot", "tool_call_id": "t1"},
]  # fmt: skip


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "LLM", "input.value": json.dumps(ANTHROPIC), "output.value": json.dumps(ANSWERED)},
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": json.dumps(ANTHROPIC),
            "langfuse.observation.output": json.dumps(ANSWERED),
        },
        {
            "logfire.msg": "Message with 'claude'",
            "request_data": json.dumps(ANTHROPIC),
            "response_data": json.dumps({"message": ANSWERED, "usage": ANSWERED["usage"]}),
        },
    ],
)
def test_a_request_of_anthropic_that_is_kept_whole(attributes: dict[str, Any]) -> None:
    span = read(attributes)
    assert span.inputs == {"messages": CANONICAL, "model": "claude-sonnet-4-5", "max_tokens": 10}
    message = {"role": "assistant", "content": "A dot."}
    assert span.outputs == {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7, "cache_read_input_tokens": 3}
    assert span.get_attribute("mlflow.chat.tokenUsage") == usage
    tool = {"name": "look", "description": "Look", "parameters": {"type": "object"}}
    assert span.get_attribute("mlflow.chat.tools") == [{"type": "function", "function": tool}]


def test_a_request_of_gemini_that_is_kept_whole() -> None:
    request = {
        "model": "gemini-2.5-flash",
        "contents": [
            {"role": "user", "parts": [{"text": "Look."}, {"inline_data": {"mime_type": "image/png", "data": "iVBO"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"at": "it"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "look", "response": {"seen": "a dot"}}}]},
        ],
    }
    response = {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "A dot."}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 9,
                          "thoughtsTokenCount": 2},
    }  # fmt: skip
    span = read(
        {"openinference.span.kind": "LLM", "input.value": json.dumps(request), "output.value": json.dumps(response)}
    )
    looked = {"id": None, "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
    assert span.inputs["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Look."}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [looked]},
        {"role": "tool", "content": '{"seen":"a dot"}'},
    ]
    assert span.outputs["choices"][0]["finish_reason"] == "stop"
    assert span.outputs["choices"][0]["message"] == {"role": "assistant", "content": "A dot."}
    usage = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 9, "reasoning_tokens": 2}
    assert span.get_attribute("mlflow.chat.tokenUsage") == usage


def test_an_answer_of_bedrock_is_one_deeper() -> None:
    answer = {"message": {"role": "assistant", "content": [{"text": "so"}]}}
    response = {"output": answer, "stopReason": "max_tokens", "usage": {"inputTokens": 5, "outputTokens": 2}}
    span = read({"openinference.span.kind": "LLM", "input.value": "{}", "output.value": json.dumps(response)})
    assert span.outputs == {"choices": [{"index": 0, "finish_reason": "length", "message": SAID}]}
    assert span.get_attribute("mlflow.chat.tokenUsage")["total_tokens"] == 7


def test_a_call_of_the_responses_api_with_its_thoughts_and_its_tools_is_one_answer() -> None:
    request = {"model": "gpt-5", "instructions": "Be brief.", "input": [{"role": "user", "content": "why?"}]}
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "it"}'},
    ]
    response = {"model": "gpt-5-2025", "status": "completed", "output": output}
    span = read(
        {"openinference.span.kind": "LLM", "input.value": json.dumps(request), "output.value": json.dumps(response)}
    )
    assert span.inputs == {"messages": [{"role": "system", "content": "Be brief."}, ASKED], "model": "gpt-5"}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at":"it"}'}}
    message = {"role": "assistant", "content": "Wait.", "reasoning_content": "Hm.", "tool_calls": [call]}
    assert span.outputs == {"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]}


def test_an_agent_of_pydantic_ai_was_asked_what_came_before_its_first_answer() -> None:
    history = [
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "why?"}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "so"}]},
    ]
    span = read(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.aggregated_usage.input_tokens": 3,
            "pydantic_ai.all_messages": json.dumps(history),
            "final_result": "so",
            "logfire.msg": "agent run",
        }
    )
    assert (span.span_type, span.outputs) == ("AGENT", "so")
    assert span.inputs["messages"] == [{"role": "system", "content": "Be brief."}, ASKED]
    assert span.get_attribute("mlflow.chat.tokenUsage")["input_tokens"] == 3


def test_names_that_are_generic_mean_nothing_where_nobody_knows_them() -> None:
    span = foreign_span({"request_data": '{"model": "m"}', "events": "[]", "final_result": "so", "tool_response": "2"})
    assert translate_span(span) is span


def test_a_retriever_finds_documents() -> None:
    span = read(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "why?",
            "retrieval.documents.0.document.content": "so",
            "retrieval.documents.0.document.id": 7,
            "retrieval.documents.0.document.score": 0.5,
            "retrieval.documents.0.document.metadata": '{"page": 3}',
            "output.value": "ignored",
        }
    )
    assert (span.span_type, span.inputs) == ("RETRIEVER", "why?")
    assert span.outputs == [{"page_content": "so", "metadata": {"page": 3, "score": 0.5}, "id": 7}]


def test_an_operation_of_vercel_is_an_agent_and_its_call_a_model_under_old_names_too() -> None:
    span = read(
        {
            "ai.operationId": "ai.generateText",
            "ai.prompt": json.dumps({"system": "Be brief.", "messages": [{"role": "user", "content": "why?"}]}),
            "ai.result.text": "so",
            "ai.finishReason": "stop",
            "ai.model.id": "gpt-4o",
            "ai.model.provider": "openai.responses",
            "ai.usage.promptTokens": 3,
            "ai.usage.completionTokens": 1,
            "ai.telemetry.metadata.userId": "me",
            "ai.telemetry.metadata.tags": ["beta"],
            "ai.telemetry.metadata.plan": "free",
        }
    )
    assert (span.span_type, span.outputs) == ("AGENT", "so")
    assert span.inputs["messages"] == [{"role": "system", "content": "Be brief."}, ASKED]
    assert span.get_attribute("mlflow.llm.provider") == "openai"
    assert span.get_attribute("mlflow.chat.tokenUsage")["total_tokens"] == 4
    info = merge_parts([part(span)]).info
    assert info.trace_metadata["mlflow.trace.user"] == "me"
    assert (info.tags["beta"], info.trace_metadata["plan"]) == ("true", "free")


def test_an_object_that_was_generated_is_the_content_of_the_answer() -> None:
    span = read(
        {
            "ai.operationId": "ai.generateObject.doGenerate",
            "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": "why?"}]}]),
            "ai.response.object": '{"answer":"so"}',
        }
    )
    assert span.outputs["choices"][0]["message"]["content"] == '{"answer":"so"}'


def test_what_langfuse_says_of_the_trace_is_said_of_the_trace() -> None:
    said = {
        "langfuse.observation.type": "span",
        "langfuse.trace.name": "checkout",
        "langfuse.trace.tags": ["beta", "eu"],
        "langfuse.trace.metadata.plan": '"free"',
        "langfuse.trace.metadata.tries": "3",
        "langfuse.session.id": "s-1",
        "langfuse.observation.cost_details": '{"input": 0.1, "output": 0.2, "total": 0.3}',
    }
    trace = merge_parts([translate_part(part(foreign_span({}), foreign_span(said, number=2, parent=1)))])
    info = trace.info
    assert (info.name, info.tags["beta"], info.tags["eu"]) == ("checkout", "true", "true")
    assert (info.trace_metadata["plan"], info.trace_metadata["tries"]) == ("free", "3")
    assert info.trace_metadata["mlflow.trace.session"] == "s-1"
    assert trace.info.cost == {"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}
    assert trace.data.spans[1].span_type == "UNKNOWN"


def test_tags_and_metadata_of_openinference_and_properties_of_openllmetry_are_said_of_the_trace() -> None:
    both = {
        "openinference.span.kind": "CHAIN",
        "tag.tags": ["beta"],
        "metadata": '{"plan": "free", "langgraph_step": 3}',
        "traceloop.span.kind": "workflow",
        "traceloop.association.properties.team": "search",
    }
    info = merge_parts([part(read(both))]).info
    assert (info.tags["beta"], info.trace_metadata["plan"], info.trace_metadata["team"]) == ("true", "free", "search")
    assert "langgraph_step" not in info.trace_metadata


def test_a_text_is_left_a_text_where_it_only_looks_like_json() -> None:
    span = read({"openinference.span.kind": "CHAIN", "input.value": "[draft] why?", "output.value": '{"broken": '})
    assert (span.inputs, span.outputs) == ("[draft] why?", '{"broken": ')


def test_usage_is_completed_and_nonsense_in_it_is_left_out() -> None:
    def usage(**told: Any) -> Any:
        attributes = {f"gen_ai.usage.{key}": value for key, value in told.items()}
        return read({"gen_ai.operation.name": "chat", **attributes}).get_attribute("mlflow.chat.tokenUsage")

    assert usage(input_tokens=3) == {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}
    assert usage(output_tokens=3, total_tokens=5) == {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5}
    assert usage(total_tokens=5) == {"total_tokens": 5}
    assert usage(input_tokens=-3, output_tokens="many") is None
    assert usage(input_tokens=3.0, output_tokens=2.5) == {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}


def test_sounds_and_files_are_parts_of_the_content() -> None:
    parts = [
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "UklGRg=="},
        {"type": "file", "modality": "image", "file_id": "f-1"},
        {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
        {"type": "uri", "uri": "https://example.com/a.pdf"},
        {"type": "strange", "of": "kind"},
    ]
    span = read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": [{"role": "user", "parts": parts}]})
    assert span.inputs["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f-1"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"file_data": "https://example.com/a.pdf"}},
        {"type": "strange", "of": "kind"},
    ]
