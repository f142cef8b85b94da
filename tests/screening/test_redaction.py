"""Which secrets are found, what is taken for one, and that a text stays what it was without them."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.screening.corpus import HARMLESS, MISTAKEN, SECRETS, as_json, planted
from tracehound.errors import ArgumentError
from tracehound.screening.detectors import find_secrets
from tracehound.screening.pseudonyms import Pseudonyms, key_of_text
from tracehound.screening.redaction import Redactor
from tracehound.settings import SECRETS as KINDS
from tracehound.settings import read_settings

REDACTOR = Redactor(KINDS, Pseudonyms(lambda: key_of_text("a key of the tests")))
ALL_PLANTED = [each for kind in SECRETS for each in planted(kind, each=1)]


def cores(secret: str) -> list[str]:
    """Return what of a secret nobody may read: all of it, its long pieces, and for cards its digits."""
    return [secret, *(piece for piece in secret.replace("@", " ").split() if len(piece) > 9)]


@pytest.mark.parametrize("kind", SECRETS)
def test_every_planted_secret_is_found(kind: str) -> None:
    missed = [(issuer, where, text) for issuer, where, secret, text in planted(kind) if secret in REDACTOR.text(text)]
    assert missed == []


@pytest.mark.parametrize("kind", SECRETS)
def test_what_is_found_is_the_secret_and_nothing_around_it(kind: str) -> None:
    changed = []
    for issuer, where, secret, text in planted(kind):
        before, _, behind = text.partition(secret)
        masked = REDACTOR.text(text)
        if not (masked.startswith(before) and masked.endswith(behind)):
            changed.append((issuer, where, text, masked))
    assert changed == []


def test_harmless_texts_stay_as_they_are() -> None:
    assert [REDACTOR.text(text) for text in HARMLESS] == HARMLESS


def test_what_only_looks_like_a_secret_is_masked_too() -> None:
    assert all("[" in REDACTOR.text(text) for text in MISTAKEN)


@pytest.mark.parametrize(("issuer", "where", "secret", "text"), ALL_PLANTED[::3])
def test_no_way_of_writing_json_hides_a_secret(issuer: str, where: str, secret: str, text: str) -> None:
    for written in as_json(text):
        masked = REDACTOR.json(written)
        said = json.dumps(json.loads(masked), ensure_ascii=False)
        assert not any(core in said for core in cores(secret)), (issuer, where, written, masked)


def test_a_number_of_json_becomes_a_text_and_a_key_stays() -> None:
    masked = json.loads(
        REDACTOR.json('{"card":4111111111111111,"more":[-4111111111111111.0,{"n":5}],"s":"4111111111111111"}')
    )
    assert masked["card"] == masked["s"] == masked["more"][0]
    assert masked["card"].startswith("[CREDIT_CARD_")
    assert masked["more"][1] == {"n": 5}


def test_a_key_that_is_a_secret_goes_and_any_other_stays() -> None:
    masked = json.loads(REDACTOR.json('{"tom@example.org":{"api_key":"abcd1234efgh5678"}}'))
    ((key, value),) = masked.items()
    assert key.startswith("[EMAIL_")
    assert list(value) == ["api_key"]
    assert value["api_key"].startswith("[API_KEY_")


def test_the_same_secret_has_the_same_name_wherever_it_stands() -> None:
    key = "sk-abcdefghijklmnopqrst1234"
    names = {
        REDACTOR.text(f"{key}"), REDACTOR.text(f"Bearer {key}")[7:], REDACTOR.text(f"OPENAI_API_KEY={key}")[15:],
        json.loads(REDACTOR.json(json.dumps({"api_key": key})))["api_key"], REDACTOR.text(key, "api_key"),
    }  # fmt: skip
    assert len(names) == 1
    assert REDACTOR.text("Tom@Example.ORG") == REDACTOR.text("tom@example.org")
    assert REDACTOR.text("4111-1111-1111-1111") == REDACTOR.text("4111111111111111")


def test_another_key_gives_other_names() -> None:
    other = Redactor(KINDS, Pseudonyms(lambda: key_of_text("another key")))
    assert other.text("tom@example.org") != REDACTOR.text("tom@example.org")


def test_only_the_kinds_that_are_asked_for_are_taken_out() -> None:
    text = "tom@example.org paid with 4111111111111111"
    assert [each.kind for each in find_secrets(text, ["email"])] == ["email"]
    assert [each.kind for each in find_secrets(text, KINDS)] == ["email", "credit_card"]
    assert find_secrets(text, []) == []


def test_a_secret_that_was_cut_in_two_goes_with_its_last_word() -> None:
    masked = REDACTOR.json('"mail from tom@exampl… [cut: 5000 characters, 20 kept]"')
    assert masked == '"mail from …… [cut: 5000 characters, 20 kept]"'


# Those that are known by their own shape.
SHAPED = [
    (issuer, secret) for issuer, _, secret, _ in ALL_PLANTED if any(issuer in of_kind for of_kind in SECRETS.values())
]
PIECES = st.one_of(
    st.sampled_from([secret for _, secret in SHAPED]),
    st.text(max_size=12),
    st.sampled_from(['"', "\\", "\\n", "\\u0040", "@", " ", "-", "4111", "api_key=", "… [cut: 5]", "://", ":", "\0"]),
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.none() | st.just(4111111111111111),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, st.booleans(), st.booleans())
@example(value="https://me:sk-iK2ZWeqhFWCEPyYngFb51yBMWXaSCrUZoL8g5ubbbPIa84d5@host", ascii_only=False, nested=False)
def test_json_stays_json_and_masking_it_again_changes_nothing(value: object, ascii_only: bool, nested: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    text = json.dumps(text) if nested else text
    masked = REDACTOR.json(text)
    json.loads(masked)
    assert REDACTOR.json(masked) == masked


@given(TEXTS, st.sampled_from(SHAPED), TEXTS)
def test_no_text_around_it_hides_a_secret(before: str, secret: tuple[str, str], behind: str) -> None:
    text = f"{before}; {secret[1]} ;{behind}"
    masked = REDACTOR.json(json.dumps(text))
    assert f" {secret[1]} " not in json.loads(masked)


# What makes careless patterns go through a text again and again.
ADVERSARIAL: dict[str, Callable[[int], str]] = {
    "letters": lambda size: "a" * size,
    "letters and a dot": lambda size: "a." * (size // 2),
    "signs": lambda size: "@" * size,
    "addresses cut short": lambda size: "a@a." * (size // 4),
    "digits": lambda size: "4" * size,
    "groups of digits": lambda size: "4111 " * (size // 5),
    "groups of one digit": lambda size: "4 " * (size // 2),
    "digits and spaces": lambda size: "400" + " " * size,
    "beginnings of keys": lambda size: "sk-" * (size // 3),
    "beginnings of keys apart": lambda size: "sk- " * (size // 4),
    "beginnings of tokens": lambda size: "-eyJ" * (size // 4),
    "tokens with one dot": lambda size: "eyJabcdefgh.a-" * (size // 14),
    "bearers": lambda size: "Bearer " * (size // 7),
    "names": lambda size: "token=" * (size // 6),
    "secret names": lambda size: "secret: " * (size // 8),
    "places": lambda size: "://a:" * (size // 5),
    "backslashes": lambda size: "\\" * size,
    "escapes": lambda size: "\\u0040" * (size // 6),
    "cuts": lambda size: "… [cut: " * (size // 8),
    "beginnings of private keys": lambda size: "-----BEGIN PRIVATE KEY-----" * (size // 27),
    "spaces": lambda size: " " * size,
    "names and spaces": lambda size: "token " + " " * size,
    "cards": lambda size: "4111111111111111 " * (size // 17),
}


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_the_time_grows_with_the_text_and_not_with_its_square(kind: str) -> None:
    """Four times the text takes four times the time: sixteen times would be its square."""

    def fastest_s(size: int) -> float:
        text = ADVERSARIAL[kind](size)
        times = []
        for _ in range(3):
            begun_s = time.process_time()
            REDACTOR.json(f'"{text}"')
            times.append(time.process_time() - begun_s)
        return min(times)

    small_s, large_s = fastest_s(60_000), fastest_s(240_000)
    assert large_s < 9 * small_s + 0.02


def test_the_secrets_to_take_out_are_named() -> None:
    assert read_settings({"TRACEHOUND_REDACT": "all"}).redact == KINDS
    assert read_settings({"TRACEHOUND_REDACT": "email api_key"}).redact == ("api_key", "email")
    assert read_settings({}).redact == ()
    with pytest.raises(ArgumentError, match=r"TRACEHOUND_REDACT is all, none or some of api_key, .*, not 'emails'"):
        read_settings({"TRACEHOUND_REDACT": "emails"})


def test_random_texts_are_hardly_ever_taken_for_cards() -> None:
    """Of random numbers of 16 digits every twentieth is a card's, since its check digit is right: no more than that."""
    chance = random.Random(5)
    numbers = [str(chance.randrange(10**15, 10**16)) for _ in range(4000)]
    assert sum(REDACTOR.text(number) != number for number in numbers) < 4000 / 20
