"""The traces that the page is looked at with: a day of a support desk, one with 50,000 spans, one that is hostile."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import tracehound
from tests.traces import span
from tracehound import runtime
from tracehound.entities import SpanEvent
from tracehound.model.span import Span
from tracehound.model.trace import TracePart
from tracehound.runtime import Runtime
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

TICKETS: Final = 480
MANY: Final = 50_000
MANY_ID: Final = f"tr-{0x50000:032x}"
HOSTILE_ID: Final = f"tr-{0xBAD:032x}"
HOSTILE: Final = (
    "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 2'>"
    "[click](javascript:window.harmed=3) ![pixel](https://elsewhere.example/pixel.png) "
    "<iframe src='https://elsewhere.example'></iframe> "
    "**bold** \u202egnp.exe\u202c \u2066isolated\u2069 \u0007 \N{GRINNING FACE}"
)

_MS: Final = 1_000_000
_DAY_MS: Final = 86_400_000
_SYSTEM: Final = "You answer tickets of an online shop. Be brief, name the article you rely on."
_TICKETS: Final = (
    ("Where is my order 48213? It was to come on Monday.", "order"),
    ("The lamp arrived broken. Can I have another one?", "return"),
    ("How do I change the address of my invoice?", "account"),
    ("Does the blue kettle have a plug for the UK?", "product"),
    ("My voucher SPRING is refused at the till.", "payment"),
)
_REPLIES: Final = {
    "order": "It left **yesterday** and comes on Friday.\n\n- Carrier: Nordpost\n- Article: `delivery-times`",
    "return": "**A new lamp is on its way**, you need not send the broken one back.\n\nSee `damaged-goods`.",
    "account": "Open *Account → Invoices*, choose **Edit address**.\n\n1. It holds for new invoices.\n2. Old ones not.",
    "product": "Yes: it comes with a plug for the **UK** and one for the EU. See `kettle-blue`.",
    "payment": "`SPRING` ended on Sunday. I have put a voucher of **10 %** into your account instead.",
}


def fill(path: Path) -> None:
    """Put all of these traces into the store at a path."""
    with _tracing_into(path):
        write_tickets(TICKETS)
    store = SqliteStore(path)
    try:
        store.write([_trace_with_many_spans(), _hostile_trace()])
    finally:
        store.close()


def write_tickets(count: int) -> None:
    """Trace as many tickets, over the last day, always the same ones; some fail, more of them around noon."""
    draw = random.Random(7)
    tracehound.set_experiment("support-desk")
    now_ms = time.time_ns() // _MS
    for number in range(count):
        age_ms = _DAY_MS * (1 - (number / count) ** 0.9)
        _write_ticket(draw, number, int(now_ms - 60_000 - age_ms), is_noon=0.4 < number / count < 0.5)


@contextmanager
def _tracing_into(path: Path) -> Iterator[None]:
    own = Runtime(dataclasses.replace(Settings(), tracking_uri=str(path), raise_faults=True))
    before = runtime.replace(own)
    try:
        yield
        tracehound.flush()
    finally:
        runtime.replace(before)
        own.close()


def _write_ticket(draw: random.Random, number: int, begun_ms: int, *, is_noon: bool) -> None:
    """Trace one ticket: it is classified, articles are looked for, sometimes the order, and a reply is written."""
    question, kind = draw.choice(_TICKETS)
    fails = draw.random() < (0.4 if is_noon else 0.03)
    at_ms = float(begun_ms)

    def step(name: str, span_type: str, length_ms: float, inputs: Any, outputs: Any, **attributes: Any) -> None:
        nonlocal at_ms
        begun = at_ms + draw.uniform(1, 6)
        made = tracehound.start_span_no_context(
            name, span_type, root, inputs, attributes, start_time_ns=int(begun * _MS)
        )
        at_ms = begun + length_ms
        if isinstance(outputs, Exception):
            made.add_event(SpanEvent.from_exception(outputs))
            made.end(status="ERROR", end_time_ns=int(at_ms * _MS))
        else:
            made.end(outputs=outputs, end_time_ns=int(at_ms * _MS))

    root = tracehound.start_span_no_context(
        "answer_ticket", "AGENT", inputs={"ticket": question},
        tags={"env": "prod" if number % 4 else "staging", "version": "2.1" if number > count_of_old() else "2.0"},
        metadata={"mlflow.trace.user": draw.choice(["ana", "ben", "chloe", "dev", "emil", "fatima"]),
                  "mlflow.trace.session": f"s-{number // 3:03}"},
        start_time_ns=begun_ms * _MS,
    )  # fmt: skip
    messages = [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": question}]
    tokens = draw.randint(180, 420)
    step("classify", "CHAT_MODEL", draw.lognormvariate(5, 0.3), {"messages": messages}, {"kind": kind},
         **usage("small-4", tokens, 4))  # fmt: skip
    step("search_articles", "RETRIEVER", draw.lognormvariate(4, 0.5), {"query": question},
         [{"article": f"{kind}-{each}", "score": round(0.95 - each / 10, 2)} for each in range(3)])  # fmt: skip
    failure = _failure() if fails else None
    if kind == "order":
        step("look_up_order", "TOOL", draw.lognormvariate(4.4, 0.4), {"order": "48213"}, {"state": "sent"})
    reply = {"role": "assistant", "content": _REPLIES[kind]}
    step("write_reply", "CHAT_MODEL", 8_000 if fails else draw.lognormvariate(6.6, 0.45), {"messages": messages},
         failure or {"choices": [{"message": reply}]}, **usage("large-2", tokens * 3, 0 if fails else 120))  # fmt: skip
    root.end(
        outputs=None if fails else {"reply": _REPLIES[kind]}, status="ERROR" if fails else "OK",
        end_time_ns=int((at_ms + 3) * _MS),
    )  # fmt: skip
    if number % 40 == 0:
        tracehound.log_feedback(
            trace_id=root.trace_id, name="helpful", value=not fails, rationale="The customer said so."
        )


def _failure() -> Exception:
    """Return an exception that has been raised, so that it has a stack."""
    try:
        _call_model()
    except TimeoutError as error:
        return error
    raise AssertionError("a model that is silent has answered")


def _call_model() -> None:
    raise TimeoutError("the model did not answer within 8 s")


def count_of_old() -> int:
    """Return how many of the tickets the version before has answered."""
    return TICKETS * 2 // 3


def usage(model: str, input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """Return the attributes that say what a call of a model took."""
    price = {"small-4": 2e-7, "large-2": 3e-6}[model]
    return {
        "mlflow.llm.model": model,
        "mlflow.chat.tokenUsage": {
            "input_tokens": input_tokens, "output_tokens": output_tokens, "total_tokens": input_tokens + output_tokens
        },
        "mlflow.llm.cost": {"total_cost": input_tokens * price + output_tokens * price * 4},
    }  # fmt: skip


def _trace_with_many_spans() -> TracePart:
    """Return a trace of 50,000 spans: batches of a hundred documents below one root."""
    spans = [span(1, 0x50000, name="index_everything", duration_ms=MANY)]
    for number in range(2, MANY + 1):
        batch = (number - 2) // 100 * 100 + 2
        parent = 1 if number == batch else batch
        length = 100 if number == batch else 1
        spans.append(
            span(number, 0x50000, parent=parent, start_ms=number, duration_ms=length, name=f"document {number}")
        )
    return TracePart(MANY_ID, experiment="large", written_ns=1, spans=spans)


def _hostile_trace() -> TracePart:
    """Return a trace that has what would harm a careless page wherever there is room for it."""
    text = f'"{"a" * 10_000_000}"'
    spans: list[Span] = []
    for number, inputs in enumerate((None, text), start=1):
        plain = span(number, 0xBAD, parent=None if number == 1 else 1, name=HOSTILE)
        said = {"messages": [{"role": HOSTILE, "content": HOSTILE}]}
        encoded = tracehound_json(said) if inputs is None else inputs
        attributes = {HOSTILE: tracehound_json(HOSTILE)}
        spans.append(
            Span(
                plain.trace_id, plain.span_id, plain.parent_id, plain.name, plain.start_time_ns, plain.end_time_ns,
                plain.status, HOSTILE, encoded, tracehound_json(HOSTILE), attributes,
            )
        )  # fmt: skip
    return TracePart(
        HOSTILE_ID, experiment="hostile", written_ns=1, spans=spans, tags={"note": HOSTILE},
        metadata={"mlflow.trace.user": HOSTILE, "mlflow.trace.session": HOSTILE},
    )  # fmt: skip


def tracehound_json(value: object) -> str:
    """Return a value as the JSON text that capture makes of it."""
    from tracehound.model.values import encode_value

    return encode_value(value)
