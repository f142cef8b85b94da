"""Addresses at which there is no Tracehound server: one clear error each, and nothing is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from pathlib import Path

import pytest

import tracehound
from tests.ports import held_port
from tests.remote.troubled import answer, scripted, silent
from tracehound.errors import ArgumentError, SearchCancelledError, StoreBusyError, StoreError, StoreFullError
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.runtime import current
from tracehound.store.api import FrameStore
from tracehound.store.remote.store import RemoteStore
from tracehound.store.targets import parse_target

HELLO = answer("200 OK", '{"tracehound":"0.1.0","protocol":1}', Content_Type="application/json")


def problem(status: str, code: str, detail: str, **headers: str) -> bytes:
    text = f'{{"status":{status[:3]},"title":"","code":"{code}","detail":"{detail}"}}'
    return answer(status, text, Content_Type="application/problem+json", **headers)


OTHERS = {
    "a web page": (
        {"*": answer("200 OK", "<html>hello</html>", Content_Type="text/html")},
        "is not a Tracehound server",
    ),
    "nothing at that path": ({}, "is not a Tracehound server: see that `tracehound server` runs there"),
    "a server of MLflow": ({"/version": answer("200 OK", "3.18.0")}, "is a server of MLflow 3.18.0, not of Tracehound"),
    "a version that is none": ({"/version": answer("200 OK", "<html>3.1</html>")}, "is not a Tracehound server"),
    "who asks for credentials": (
        {"*": answer("401 Unauthorized", "no")},
        r"does not let this program in \(401\)",
    ),
    "who forbids it": (
        {"*": problem("403 Forbidden", "PERMISSION_DENIED", "reading is for others")},
        r"does not let this program in \(403: reading is for others\)",
    ),
    "who points elsewhere": (
        {"*": answer("301 Moved Permanently", Location="https://traces.test/api/v1/store")},
        "but points to https://traces.test: name the server itself",
    ),
    "a newer protocol": (
        {"/api/v1/store": answer("200 OK", '{"tracehound":"9","protocol":9}')},
        "speaks protocol 9 and this program 1: upgrade the package `tracehound`",
    ),
    "an older protocol": (
        {"/api/v1/store": answer("200 OK", '{"tracehound":"0","protocol":0}')},
        "speaks protocol 0 and this program 1: upgrade that server",
    ),
    "a fault": ({"*": answer("500 Internal Server Error", "Traceback")}, r"has failed \(500\): its log says more"),
    "a gateway without a server": ({"*": answer("502 Bad Gateway", "<html>")}, r"has failed \(502\)"),
    "no HTTP": ({"*": b"220 mail.test ESMTP\r\n"}, "has broken the connection off"),
    "half an answer": ({"*": answer("200 OK", "x" * 100)[:-50]}, "has broken the connection off"),
    "an answer that is none of ours": (
        {"/api/v1/store": HELLO, "*": answer("200 OK", "<html>", Content_Type="text/html")},
        "is not a Tracehound server, or one behind something else",
    ),
    "MessagePack of something else": (
        {"/api/v1/store": HELLO, "*": answer("200 OK", "\x01", Content_Type="application/vnd.msgpack")},
        "is not a Tracehound server, or one behind something else",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_search_there_says_what_is_there_and_what_to_do(name: str) -> None:
    answers, told = OTHERS[name]
    with scripted(answers) as url:
        tracehound.set_tracking_uri(url)
        with pytest.raises(StoreError, match=told) as raised:
            tracehound.search_traces()
        assert url in str(raised.value)


def test_a_server_that_is_away_is_named_with_what_to_do() -> None:
    with held_port() as port:
        tracehound.set_tracking_uri(f"http://127.0.0.1:{port}")
        with pytest.raises(
            StoreError, match=r"cannot be reached \(.*refused.*\): see that `tracehound server` runs there, or"
        ):
            tracehound.search_traces()


def test_a_name_that_nobody_has_is_told() -> None:
    tracehound.set_tracking_uri("http://nowhere.invalid:5000")
    with pytest.raises(StoreError, match=r"the server http://nowhere\.invalid:5000 cannot be reached"):
        tracehound.search_traces()


def test_a_server_that_says_nothing_is_not_waited_for_without_end(tmp_path: Path) -> None:
    with silent() as url, contextlib.closing(RemoteStore(url, tmp_path, timeout_s=0.05)) as store:
        with pytest.raises(StoreError, match="does not answer in time"):
            store.version()
        assert isinstance(store, FrameStore)


def test_a_search_there_can_be_cancelled(tmp_path: Path) -> None:
    limit = SearchLimit()
    with silent(HELLO) as url, contextlib.closing(RemoteStore(url, tmp_path)) as store:
        cancelling = threading.Timer(0.01, limit.cancel)
        cancelling.start()
        with pytest.raises(SearchCancelledError):
            store.search(dataclasses.replace(parse_search(["0"]), time_limit=limit))
        cancelling.join()


def test_what_keeps_a_server_from_answering_is_told_apart() -> None:
    kinds = {
        "STORE_BUSY": ("503 Service Unavailable", StoreBusyError),
        "TOO_MUCH_AT_ONCE": ("429 Too Many Requests", StoreBusyError),
        "STORE_FULL": ("507 Insufficient Storage", StoreFullError),
        "STORE_UNUSABLE": ("503 Service Unavailable", StoreBusyError),
    }
    for code, (status, kind) in kinds.items():
        refusal = problem(status, code, "so it is", Retry_After="7")
        with scripted({"/api/v1/store": HELLO, "*": refusal}) as url:
            tracehound.set_tracking_uri(url)
            with pytest.raises(kind, match="so it is") as raised:
                current().drained_store().version()
            assert isinstance(raised.value, StoreError)
            assert raised.value.retry_after_s == 7


def test_the_same_server_is_written_in_several_ways() -> None:
    same = ["http://Traces.test", "HTTP://traces.test:80/", "http://traces.test:80", "http://traces.test//"]
    assert {parse_target(each) for each in same} == {parse_target("http://traces.test")}
    assert parse_target("https://traces.test/a/b/").url == "https://traces.test/a/b"
    assert parse_target("http://[::1]:5000").url == "http://[::1]:5000"
    folders = {parse_target(each).spool_directory for each in ("http://a.test", "https://a.test", "http://a.test/b")}
    assert len(folders) == 3


@pytest.mark.parametrize(
    "uri",
    ["http://", "http:///traces", "http://a.test:port", "http://a.test:99999", "http://a.test?x=1", "http://a.test#x",
     "http://a b.test", "http://a.test/\n", "http://[::1", "http://ann:secret@a.test"],
)  # fmt: skip
def test_what_is_no_address_is_refused_at_once(uri: str) -> None:
    with pytest.raises(ArgumentError, match="address of a server") as raised:
        tracehound.set_tracking_uri(uri)
    assert "secret" not in str(raised.value)


def test_trouble_is_said_once_whatever_is_tried_again_and_the_traces_wait(caplog: pytest.LogCaptureFixture) -> None:
    with held_port() as port, caplog.at_level(logging.INFO, "tracehound"):
        tracehound.set_tracking_uri(f"http://127.0.0.1:{port}")
        for number in range(20):
            with tracehound.start_span(f"span {number}"):
                pass
            report = tracehound.flush()
            assert (report.accepted, report.stored, report.pending, report.dropped) == (number + 1, 0, number + 1, 0)
    assert len([each for each in caplog.records if "traces wait in the spool" in each.message]) == 1
    assert len(caplog.records) == 1
