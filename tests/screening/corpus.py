"""Secrets planted where people and programs leave them, and texts that hold none.

The secrets are made by chance, in the shapes that their issuers give them: none was ever one.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator

_ALNUM = string.ascii_letters + string.digits
_DASHED = _ALNUM + "_-"


def _chars(random: random.Random, alphabet: str, count: int) -> str:
    """Return some letters of an alphabet, a letter and a digit among them."""
    text = "".join(random.choice(alphabet) for _ in range(count - 2))
    return f"{text}{random.choice('abcdef' if 'a' in alphabet else 'ABCDEF')}{random.choice('23456789')}"


def _shape(begin: str, alphabet: str, count: int) -> Callable[[random.Random], str]:
    return lambda random: begin + _chars(random, alphabet, count)


def _private_key(random: random.Random) -> str:
    lines = "\n".join(_chars(random, _ALNUM + "+/", 64) for _ in range(5))
    return f"-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----"


def _jwt(random: random.Random) -> str:
    return f"eyJ{_chars(random, _DASHED, 33)}.eyJ{_chars(random, _DASHED, 60)}.{_chars(random, _DASHED, 43)}"


def _card(begin: str, length: int, groups: tuple[int, ...] = (), separator: str = "") -> Callable[[random.Random], str]:
    def make(random: random.Random) -> str:
        digits = begin + "".join(random.choice(string.digits) for _ in range(length - len(begin) - 1))
        doubled = [int(digit) * (2 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(digits))]
        digits += str(-sum(each - 9 if each > 9 else each for each in doubled) % 10)
        pieces, at = [], 0
        for count in groups or (length,):
            pieces.append(digits[at : at + count])
            at += count
        return separator.join(pieces)

    return make


def _email(random: random.Random) -> str:
    name = _chars(random, string.ascii_lowercase + "._+-" + string.digits, 12).strip("._+-")
    return f"{name}@{_chars(random, string.ascii_lowercase, 8)}.{random.choice(['org', 'com', 'co.uk', 'museum'])}"


SECRETS: dict[str, dict[str, Callable[[random.Random], str]]] = {
    "api_key": {
        "openai": _shape("sk-", _ALNUM, 48),
        "openai project": _shape("sk-proj-", _DASHED, 120),
        "anthropic": _shape("sk-ant-api03-", _DASHED, 95),
        "aws": _shape("AKIA", string.ascii_uppercase + string.digits, 16),
        "github": _shape("ghp_", _ALNUM, 36),
        "github, fine-grained": _shape("github_pat_", _ALNUM + "_", 82),
        "gitlab": _shape("glpat-", _DASHED, 20),
        "google": _shape("AIza", _DASHED, 35),
        "google oauth": _shape("ya29.", _DASHED, 80),
        "slack": _shape("xoxb-", string.digits + "abc-", 50),
        "hugging face": _shape("hf_", _ALNUM, 34),
        "groq": _shape("gsk_", _ALNUM, 52),
        "stripe": _shape("sk_live_", _ALNUM, 24),
        "databricks": _shape("dapi", "0123456789abcdef", 32),
        "sendgrid": lambda random: f"SG.{_chars(random, _DASHED, 22)}.{_chars(random, _DASHED, 43)}",
        "npm": _shape("npm_", _ALNUM, 36),
        "a private key": _private_key,
    },
    "bearer_token": {"json web token": _jwt},
    "credit_card": {
        "visa": _card("4", 16),
        "visa, in groups": _card("4", 16, (4, 4, 4, 4), " "),
        "visa, of 13": _card("4", 13),
        "visa, of 19": _card("4", 19, (4, 4, 4, 4, 3), "-"),
        "mastercard": _card("55", 16, (4, 4, 4, 4), "-"),
        "mastercard, new": _card("2221", 16),
        "amex": _card("37", 15, (4, 6, 5), " "),
        "diners": _card("36", 14, (4, 6, 4), " "),
        "discover": _card("6011", 16),
        "jcb": _card("3530", 16),
        "unionpay": _card("62", 19),
        "in other groups": _card("4", 16, (6, 5, 5), " "),
    },
    "email": {"plain": _email, "of umlauts": lambda random: f"müller.{_chars(random, _ALNUM, 9)}@bücher.example"},
}

# Where they stand: a text with the secret in place of %s.
PLACES = {
    "alone": "%s",
    "in prose": "My secret is %s, please keep it.",
    "in quotes": 'he wrote "%s" and left',
    "in brackets": "(see <%s>)",
    "in lines": "first\n%s\nlast",
    "in Chinese": "密钥是%s。谢谢",
    "in an environment": "export THING=%s\n",
    "in a URL": "https://example.org/?q=%s&x=1",
    "in an escape of a URL": "next%%3D%s",
    "in Python": "call(thing='%s', n=3)",
    "in YAML": "thing: %s\nother: 3",
    "in a header": "X-Thing: %s\r\n",
    "before a dot": "It was %s.",
}

# Values that only the name before them tells of, and the name.
NAMED = [
    (name, place % (name, "%s"))
    for name in ("api_key", "OPENAI_API_KEY", "x-api-key", "clientSecret", "aws_secret_access_key", "token", "password")
    for place in ('{"%s": "%s"}', "%s=%s", "%s: %s", "--%s %s", "%s='%s'", "the %s is %s")
]
AUTHORIZED = [
    "Authorization: Bearer %s",
    '{"authorization": "Bearer %s"}',
    "('authorization', 'Basic %s')",
    "bearer %s",
]
IN_URLS = ["postgres://app:%s@db.example.com:5432/shop", "https://x-access-token:%s@github.com/a/b.git"]


def planted(kind: str, seed: int = 1, each: int = 3) -> Iterator[tuple[str, str, str, str]]:
    """Yield secrets of a kind: their issuer, the place, the secret, and the text with it."""
    chance = random.Random(seed)
    for issuer, make in SECRETS[kind].items():
        for where, place in PLACES.items():
            for _ in range(each):
                secret = make(chance)
                yield issuer, where, secret, place % secret
    if kind == "api_key":
        for name, place in NAMED:
            secret = _chars(chance, _ALNUM + "+/", 32)
            yield f"named {name}", place, secret, place % secret
        for place in IN_URLS:
            secret = _chars(chance, _ALNUM, 20)
            yield "in a URL", place, secret, place % secret
    elif kind == "bearer_token":
        for place in AUTHORIZED:
            secret = _chars(chance, _ALNUM, 40)
            yield "in a header", place, secret, place % secret


# What programs trace and nobody has to hide.
HARMLESS = [
    "Please summarise the quarterly report in 3 bullet points, and keep it under 200 words.",
    "The bearer of this letter is a friend; bearer responsibilities include carrying it.",
    "trace tr-4111222233334444555566667777888a, span 41d5e6f7a8b9c0d1",
    "uuid 41111111-2222-4333-8444-555555555555 and 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "the assessment a-380924787019547f7a7403929ed41ad0 of the run e0945e55052b0be229b4302597704838",
    "commit a4111111111111111b1ef8870bb2098a9457133c; 4111111111111111cafe4111111111111111cafe4111111111111111cafe0123",
    "commit 41f7f31ab1f10ef8870bb2098a9457133c49dc0e by the nightly build",
    "at 1735689600000000000 ns, 1735689600000 ms, 2025-01-01T00:00:00.000Z",
    '{"input_tokens": 1234, "output_tokens": 5678, "total_tokens": 6912, "max_tokens": 4096}',
    '{"tokenizer": "cl100k_base", "token": " hello", "logprob": -0.1234567890123456}',
    '{"id": "chatcmpl-AbCdEfGh1234567890", "tool_call_id": "call_AbCdEfGhIjKlMnOpQrStUvWx"}',
    "embedding [0.4111111111111111, -0.5500000000000004, 0.3714496353984310, 6.011000990139424e-05]",
    "array([4111, 1111, 2222, 3333, 4444, 5555, 6666, 7777])",
    "ids 4539 5780 1263 9486 are not in order",
    "react@18.2.0 lodash@4.17.21 @types/node@20.1.0 logo@2x.png icon@3x.svg",
    "git@github.com:tracehound/tracehound.git https://github.com/a/b",
    "@app.route('/') def f(self): return a @ b",
    "https://example.org/path?page=2&sort=asc#top http://localhost:8000/api",
    "call +49 30 1234567 or 1-800-555-0199, order 2024-11-22-000417",
    "ISBN 978-3-16-148410-0, VAT DE123456789, IBAN DE89 3704 0044 0532 0130 00",
    "task-management-board disk-usage-report-2024-01-01 risk-assessment-of-the-2024-plan",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "The password must have 12 characters; your token is valid for 3600 seconds.",
    "Set the secret in the settings page. The API key is shown once.",
    "def api_key(self) -> str: return self._settings.api_key_of_this_user",
    "if token is None or token == expected_token_of_the_parser: pass",
    "192.168.0.1:5432 2001:db8::1 00:1A:2B:3C:4D:5E",
    "select count(*) from orders where total > 4111.11 and id in (41, 42, 43)",
    "model gpt-4o-2024-08-06, claude-3-5-sonnet-20241022, text-embedding-3-large",
    "\x1b[31mError\x1b[0m at line 4111 of module 'tracehound.capture.live_span'",
    "Ünïcödé and 日本語 and 🙂 and 4.111.111,11 €",
    "xoxo, hf_hub, AIzawa, ghp_ and sk- are no keys; SG.com neither; eyJ is a beginning",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
]

# What looks like a secret to us, and is none: known, and left so.
MISTAKEN = ['{"next_page_token": "CAUQAA3fF9kLmN0pQr"}', "order number 4111111111111111 of the shop"]


def as_json(text: str) -> list[str]:
    """Return JSON texts that say a text: as capture does, with escapes wherever there can be, and inside of one."""
    everything = "".join(f"\\u{ord(each):04x}" for each in text if ord(each) < 0x10000)
    slashes = json.dumps(text).replace("/", "\\/").replace("@", "\\u0040")
    plain = json.dumps(text, ensure_ascii=False)
    return [
        plain, json.dumps({"a": [text, 1, {"b": text}]}), f'"{everything}"', slashes,
        json.dumps({"nested": slashes}), json.dumps(json.dumps({"deep": slashes})), json.dumps({text: None}),
    ]  # fmt: skip
