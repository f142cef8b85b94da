"""Two traces side by side, facets, sessions and users, over REST."""

from __future__ import annotations

from starlette.testclient import TestClient

import tracehound
from tests.server.test_rest import ask
from tests.server.test_routes import problem_of


def answer(*steps: str, question: str = "why?") -> str:
    with tracehound.start_span("answer", span_type="AGENT") as root:
        root.set_inputs({"question": question, "tags": ["a"]})
        for step in steps:
            with tracehound.start_span(step):
                pass
        root.set_outputs(list(steps))
    return root.trace_id


def test_a_planted_step_is_the_first_difference_and_the_answer_it_changed_the_second(client: TestClient) -> None:
    one, two = answer("plan", "write"), answer("plan", "look up", "write")
    found = ask(client, "GET", f"/traces/{one}/diff/{two}")
    assert [found["left"]["trace_id"], found["right"]["trace_id"]] == [one, two]
    told = {(each["right"] or each["left"])["name"]: (each["place"], each["differences"]) for each in found["pairs"]}
    assert told == {"answer": (2, ["outputs"]), "plan": (None, []), "look up": (1, ["only right"]), "write": (None, [])}
    assert [each["depth"] for each in found["pairs"]] == [0, 1, 1, 1]
    assert found["pairs"][0]["below"] == 3


def test_where_the_values_of_two_spans_differ(client: TestClient) -> None:
    one, two = answer(), answer(question="how?")
    [pair] = ask(client, "GET", f"/traces/{one}/diff/{two}")["pairs"]
    asked = {"left": pair["left"]["span_id"], "right": pair["right"]["span_id"]}
    found = client.get(f"/api/v1/traces/{one}/diff/{two}/span", params=asked).json()
    assert found["inputs"] == [{"path": "question", "left": "why?", "right": "how?", "in_left": True, "in_right": True}]
    assert found["outputs"] == []
    alone = client.get(f"/api/v1/traces/{one}/diff/{two}/span", params={"right": pair["right"]["span_id"]}).json()
    assert (alone["left"], alone["right"]["name"], alone["inputs"]) == (None, "answer", [])
    missing = client.get(f"/api/v1/traces/{one}/diff/{two}/span", params={"left": "nowhere"})
    assert "has no span nowhere" in problem_of(missing, 404)["detail"]
    assert "there is no trace" in problem_of(client.get(f"/api/v1/traces/{one}/diff/tr-nowhere"), 404)["detail"]


def test_facets_count_the_newest_traces_and_say_how_many_these_are(client: TestClient) -> None:
    for number in range(5):
        tags = {"env": "prod"} if number < 3 else {}
        name = "answer" if number else "plan"
        tracehound.start_span_no_context(name, tags=tags, start_time_ns=(number + 1) * 10**9).end()
    asked = {"fields": ["attributes.name", "tags.env"], "values": 1}
    found = ask(client, "POST", "/traces/facets", asked)
    assert (found["traces"], found["is_all"]) == (5, True)
    assert found["facets"] == [
        {"field": "attributes.name", "values": [{"value": "answer", "count": 4}], "others": 1},
        {"field": "tags.env", "values": [{"value": "prod", "count": 3}], "others": 1},
    ]
    newest = ask(client, "POST", "/traces/facets", {**asked, "traces": 2})
    assert (newest["traces"], newest["is_all"]) == (2, False)
    assert newest["facets"][1]["values"] == [{"value": None, "count": 2}]
    wrong = client.post("/api/v1/traces/facets", json={**asked, "traces": 0})
    assert "traces is a number" in problem_of(wrong, 400)["detail"]


def test_sessions_are_found_newest_first_and_page_by_page(client: TestClient) -> None:
    for number in range(6):
        told = {"mlflow.trace.session": f"s-{number % 3}", "mlflow.trace.user": "ana"}
        tracehound.start_span_no_context("turn", metadata=told, start_time_ns=(number + 1) * 10**9).end()
    with tracehound.start_span("alone"):
        pass
    found = ask(client, "POST", "/traces/groups", {"field": "session"})
    assert [each["value"] for each in found["groups"]] == ["s-2", "s-1", "s-0"]
    assert found["next_cursor"] is None
    assert found["groups"][0]["last"]["name"] == "turn"
    users = ask(client, "POST", "/traces/groups", {"field": "user", "filter": "attributes.session = 's-1'"})
    assert [each["value"] for each in users["groups"]] == ["ana"]
    wrong = client.post("/api/v1/traces/groups", json={"field": "name"})
    assert "field is one of session, user" in problem_of(wrong, 400)["detail"]
