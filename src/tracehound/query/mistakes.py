"""What is wrong where the grammar ends: one function for each place, which looks for the usual mistakes.

A correction is made where it is clear what was meant; whether it is right as a whole is for `query.check` to see.
"""

from __future__ import annotations

import re
from typing import Final

from tracehound.errors import FilterError
from tracehound.query.suggest import mistake, nearest, plain, told, told_look_alike
from tracehound.query.tokens import Token, TokenKind, Tokens, quote, quote_name
from tracehound.query.tree import Name

_OPERATORS: Final = "=, !=, <, <=, >, >=, IN, BETWEEN, LIKE, ILIKE, RLIKE, CONTAINS, IS NULL"
_WORDS: Final = ("IN", "NOT", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "CONTAINS", "IS")
_JOINTS: Final = ("AND", "OR")

# Operators of other languages, and how they are written here.
_FOREIGN: Final = {
    "==": "=", "===": "=", ":": "=", "<>": "!=", "!==": "!=", "≠": "!=", "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=",
    "&&": "AND", "&": "AND", "||": "OR", "|": "OR", "!": "NOT", "[": "(", "]": ")",
    "~": "RLIKE", "=~": "RLIKE", "!~": "NOT RLIKE",
}  # fmt: skip
_FOREIGN_WORDS: Final = {
    "EQ": "=", "EQUAL": "=", "EQUALS": "=", "NE": "!=", "LT": "<", "LE": "<=", "LTE": "<=", "GT": ">", "GE": ">=",
    "GTE": ">=", "REGEXP": "RLIKE", "MATCHES": "RLIKE", "HAS": "CONTAINS", "INCLUDES": "CONTAINS",
}  # fmt: skip
_NOTHING: Final = ("NULL", "NONE", "NIL")
_FLIPPED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

# A text or a name that somebody wrote without quotes.
_BARE_VALUE: Final = re.compile(r"""[^\s()'"`,=<>!]+""")
_BARE_NAME: Final = re.compile(r"""[^\s()'"`,=<>!.]+""")
_DOTTED_NAME: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_WHOLE: Final = re.compile("[0-9]+")
_WORD_ALONE: Final = re.compile(r"['\"`][\w.@/-]+\s*")


def unexpected(tokens: Tokens, message: str, replacement: str | None = None) -> FilterError:
    """Return the error for the next token: what is wrong with it by itself, else the message."""
    token = tokens.next
    by_itself = _odd_token_error(tokens.text, token, is_name=_is_behind_dot(tokens))
    return by_itself or mistake(message, tokens.text, token.start, token.end, replacement)


def describe(tokens: Tokens) -> str:
    """Return how an error message calls the next token."""
    token = tokens.next
    return token.kind.value if token.kind is TokenKind.END else told(tokens.text[token.start : token.end])


def no_field(tokens: Tokens) -> FilterError:
    """Return the error where a comparison should begin."""
    text, token, before = tokens.text, tokens.next, tokens.previous
    if before is None and token.kind is TokenKind.END:
        return unexpected(tokens, "a blank filter asks nothing: leave it out, or write one such as tags.env = 'prod'")
    if token.is_word(*_JOINTS):
        word = token.value.upper()
        message = f"{word} stands between two comparisons; before this one there is none"
        is_clear = before is None or before.kind is TokenKind.OPEN or before.is_word(word)
        skipped = len(text[token.end :]) - len(text[token.end :].lstrip())
        return mistake(message, text, token.start, token.end + skipped, "" if is_clear else None)
    if before is not None and before.is_word(*_JOINTS) and tokens.next_is(TokenKind.END, TokenKind.CLOSE):
        message = f"{before.value.upper()} stands between two comparisons; behind this one there is none"
        start = len(text[: before.start].rstrip())
        corrected = text[:start] + text[before.end :]
        return FilterError(message, text, before.start, before.end, corrected)
    return _value_first_error(tokens) or unexpected(
        tokens, f"a field such as attributes.status or tags.env is expected, not {describe(tokens)}"
    )


def no_name(tokens: Tokens) -> FilterError:
    """Return the error where a name should stand behind a dot."""
    token = tokens.next
    if token.kind in (TokenKind.STRING, TokenKind.DOUBLE_QUOTED):
        return _replaced(tokens, "names stand in backticks", quote_name(token.value))
    bare = _BARE_NAME.match(tokens.text, token.start)
    if bare is None or token.kind in (TokenKind.CURLED, TokenKind.UNCLOSED):
        return unexpected(tokens, f"a name is expected behind the dot, not {describe(tokens)}")
    name = quote_name(bare.group())
    message = f"a name that begins with a digit or a sign stands in backticks: write {told(name)}"
    return mistake(message, tokens.text, token.start, bare.end(), name)


def span_in_span(tokens: Tokens) -> FilterError:
    """Return the error for a span inside of a span."""
    token = tokens.next
    message = "a span( … ) cannot stand in another one; span( … ) > span( … ) asks for a child, >> for a descendant"
    return FilterError(message, tokens.text, token.start, token.end)


def empty_span(tokens: Tokens) -> FilterError:
    """Return the error for a span of which nothing is asked."""
    message = "something has to be asked of the span, such as span(type = 'TOOL')"
    return FilterError(message, tokens.text, tokens.next.start, tokens.next.end)


def no_span(tokens: Tokens) -> FilterError:
    """Return the error where a span should stand: behind `>`, `>>` or THEN, or in `count( … )`."""
    return unexpected(tokens, f"span( … ) is expected here, not {describe(tokens)}")


def no_count(tokens: Tokens) -> FilterError:
    """Return the error where a count should be compared."""
    return unexpected(tokens, f"a count is compared with a number: count(span( … )) > 3, not {describe(tokens)}")


def no_number(tokens: Tokens) -> FilterError:
    """Return the error where the number of a count should stand."""
    token = tokens.next
    is_quoted = token.kind is TokenKind.STRING and _WHOLE.fullmatch(token.value)
    message = f"a count is compared with a number, not {describe(tokens)}"
    return unexpected(tokens, message, token.value if is_quoted else None)


def no_operator(tokens: Tokens, name: Name, last: Token) -> FilterError:
    """Return the error where an operator should stand behind a field, of which `last` is the last piece."""
    text, token = tokens.text, tokens.next
    known = _known_word_error(tokens)
    if known is not None:
        return known
    if token.kind is TokenKind.ODD and _is_alien(token.value):
        return unexpected(tokens, "")
    if token.start == last.end and token.kind in (TokenKind.MINUS, TokenKind.NUMBER, TokenKind.ODD):
        bare = _BARE_NAME.match(text, last.start)
        end = token.end if bare is None else bare.end()
        replacement = quote_name(text[last.start : end])
        message = f"a name with such characters stands in backticks: write {told(replacement)}"
        return mistake(message, text, last.start, end, replacement)
    if token.kind is TokenKind.OPEN and len(name.parts) == 1:
        meant = nearest(last.value, ("span", "count"))
        if meant is not None:
            return mistake(f"there is no {told(last.value)}(: write {meant}(", text, name.start, name.end, meant)
        message = f"there is no function {told(last.value)}; ILIKE compares without regard to case"
        return FilterError(message, text, name.start, token.end)
    if len(name.parts) == 1 and tokens.ahead(1).kind is TokenKind.DOT and nearest(last.value, ("NOT",)):
        return mistake(f"NOT is expected, not {told(last.value)}", text, name.start, name.end, "NOT")
    if token.kind is TokenKind.WORD and tokens.ahead(1).kind is TokenKind.OPERATOR:
        replacement = quote_name(text[last.start : token.end])
        message = f"a name with blanks stands in backticks: write {told(replacement)}"
        return mistake(message, text, last.start, token.end, replacement)
    written = told(text[name.start : name.end])
    return unexpected(tokens, f"an operator ({_OPERATORS}) is expected after {written}, not {describe(tokens)}")


def no_negated_operator(tokens: Tokens, name: Name, last: Token, negation: Token) -> FilterError:
    """Return the error where IN, BETWEEN or a pattern should stand behind `field NOT`."""
    text, token = tokens.text, tokens.next
    if token.kind is TokenKind.OPERATOR and token.value == "=":
        return mistake("'is not equal' is written !=", text, negation.start, token.end, "!=")
    if token.is_word("CONTAINS"):
        part = tokens.ahead(1)
        is_plain = part.kind is TokenKind.STRING and not set(part.value) & {"%", "_"}
        replacement = f"NOT LIKE {quote(f'%{part.value}%')}" if is_plain else None
        message = "CONTAINS has no NOT: write NOT LIKE '%…%', or NOT (…) to find what lacks the field, too"
        return mistake(message, text, negation.start, part.end if is_plain else token.end, replacement)
    return no_operator(tokens, name, last)


def no_null(tokens: Tokens, start: int, *, is_negated: bool) -> FilterError:
    """Return the error where NULL should stand behind IS, which begins at `start`."""
    token = tokens.next
    message = f"NULL or NOT NULL is expected behind IS, not {describe(tokens)}"
    if token.kind not in (TokenKind.STRING, TokenKind.NUMBER, TokenKind.DOUBLE_QUOTED):
        return unexpected(tokens, message)
    written = tokens.text[token.start : token.end]
    corrected = f"{tokens.text[:start]}{'!=' if is_negated else '='} {written}{tokens.text[token.end :]}"
    return FilterError(message, tokens.text, token.start, token.end, corrected)


def no_value(tokens: Tokens, operator: Token | None = None) -> FilterError:
    """Return the error where a value should stand, behind an operator or in a list."""
    text, token = tokens.text, tokens.next
    if token.is_word(*_NOTHING):
        is_equality = operator is not None and operator.value in ("=", "!=")
        if operator is None or not is_equality:
            return FilterError("nothing compares with NULL; IS NULL asks for absence", text, token.start, token.end)
        test = "IS NULL" if operator.value == "=" else "IS NOT NULL"
        corrected = f"{text[: operator.start]}{test}{text[token.end :]}"
        message = f"nothing compares with NULL: write {test}"
        return FilterError(message, text, token.start, token.end, corrected)
    if token.kind is TokenKind.WORD and tokens.ahead(1).kind is TokenKind.OPEN:
        message = f"there is no function {told(token.value)}; a time is now() or TIMESTAMP '2025-06-30'"
        return FilterError(message, text, token.start, tokens.ahead(1).end)
    if token.kind is TokenKind.CLOSE and tokens.previous is not None and operator is None:
        is_trailing = tokens.previous.kind is TokenKind.COMMA
        message = "behind a comma stands another value" if is_trailing else "a list has at least one value: IN ('a')"
        shorter = text[: tokens.previous.start] + text[token.start :] if is_trailing else None
        return FilterError(message, text, token.start, token.end, shorter)
    if token.kind is TokenKind.DOUBLE_QUOTED:
        return _replaced(tokens, "texts stand in single quotes", quote(token.value))
    bare = _bare_value(tokens)
    if bare is not None:
        message = f"texts stand in single quotes: write {told(quote(bare))}"
        return mistake(message, text, token.start, token.start + len(bare), quote(bare))
    if token.kind is TokenKind.DOT and tokens.ahead(1).kind is TokenKind.NUMBER:
        replacement = f"0.{tokens.ahead(1).value}"
        message = f"a number begins with a digit: write {told(replacement)}"
        return mistake(message, text, token.start, tokens.ahead(1).end, replacement)
    return unexpected(tokens, f"a value is expected, such as 'text' or 42, not {describe(tokens)}")


def _bare_value(tokens: Tokens) -> str | None:
    """Return the text without quotes that begins with the next token; None where none does."""
    token = tokens.next
    if token.kind is TokenKind.ODD:
        may_begin = token.value != ";" and not _is_alien(token.value)
    else:
        may_begin = token.kind is TokenKind.WORD and not token.is_word(*_JOINTS, "NOT")
    bare = _BARE_VALUE.match(tokens.text, token.start)
    return bare.group() if may_begin and bare is not None else None


def no_list(tokens: Tokens) -> FilterError:
    """Return the error where the parenthesis of a list should open."""
    written = tokens.text[tokens.next.start : tokens.next.end]
    is_value = tokens.next_is(TokenKind.STRING, TokenKind.NUMBER)
    message = f"IN takes values in parentheses: IN ('a', 'b'), not {describe(tokens)}"
    return unexpected(tokens, message, f"({written})" if is_value else None)


def no_and(tokens: Tokens) -> FilterError:
    """Return the error where the AND of a BETWEEN should stand."""
    message = f"BETWEEN takes two values: BETWEEN 1 AND 5; AND is expected, not {describe(tokens)}"
    return unexpected(tokens, message, " AND" if tokens.next_is(TokenKind.COMMA) else None)


def no_time(tokens: Tokens) -> FilterError:
    """Return the error where a date or time should stand behind TIMESTAMP."""
    if tokens.next_is(TokenKind.OPEN) and tokens.ahead(1).kind is TokenKind.STRING:
        text, inner, end = tokens.text, tokens.ahead(1), tokens.ahead(2)
        closed = end.end if end.kind is TokenKind.CLOSE else inner.end
        replacement = f" {text[inner.start : inner.end]}"
        message = "TIMESTAMP takes no parentheses: TIMESTAMP '2025-06-30'"
        return mistake(message, text, tokens.next.start, closed, replacement)
    quoted = quote(tokens.next.value) if tokens.next_is(TokenKind.DOUBLE_QUOTED) else None
    message = f"TIMESTAMP takes a date or time in single quotes, not {describe(tokens)}"
    return unexpected(tokens, message, quoted)


def no_now(tokens: Tokens, first: Token) -> FilterError:
    """Return the error for a `now` without its parentheses."""
    text, token = tokens.text, tokens.next
    message = f"the present time is written now(), not {told(text[first.start : token.end])}"
    is_bare = tokens.previous is first
    corrected = f"{text[: first.end]}(){text[first.end :]}" if is_bare else None
    return FilterError(message, text, token.start, token.end, corrected)


def no_interval(tokens: Tokens, keyword: str) -> FilterError:
    """Return the error where `INTERVAL 'n unit'` should stand behind `now() -`; the keyword is what is missing."""
    text, token, unit = tokens.text, tokens.next, tokens.ahead(1)
    message = "an interval is a number and a unit: '30 s', '15 minutes', '6 h', '7 days', '2 w'"
    if keyword:
        message = f"INTERVAL is expected behind now() -, not {describe(tokens)}"
    if token.kind is TokenKind.NUMBER and unit.kind in (TokenKind.WORD, TokenKind.STRING):
        written = f"'{token.value} {unit.value}'"
        return mistake(message, text, token.start, unit.end, keyword + written)
    is_interval = token.kind is TokenKind.STRING and keyword
    return unexpected(tokens, message, keyword + text[token.start : token.end] if is_interval else None)


def no_joint(tokens: Tokens, expected: str) -> FilterError:
    """Return the error where AND, OR or the end should stand behind a comparison."""
    text, token, before = tokens.text, tokens.next, tokens.previous
    if before is not None and before.end == token.start:
        if before.kind is TokenKind.NUMBER and (bare := _BARE_VALUE.match(text, before.start)):
            replacement = quote(bare.group())
            message = f"{told(bare.group())} is no number; a text stands in single quotes"
            return mistake(message, text, before.start, bare.end(), replacement)
        if before.kind is TokenKind.STRING and token.kind in (TokenKind.WORD, TokenKind.UNCLOSED):
            message = "a quote inside a text is written twice: 'it''s'"
            end = before.end - 2 if text[before.end - 2] == "\\" else before.end - 1
            return mistake(message, text, end, before.end, "''")
    if token.kind is TokenKind.WORD and (meant := nearest(token.value, _JOINTS)):
        what = told_look_alike(token.value) or f"{expected} is expected, not {describe(tokens)}"
        return mistake(f"{what}: write {meant}", text, token.start, token.end, meant)
    if tokens.next_is(TokenKind.COMMA):
        return unexpected(tokens, "comparisons are joined by AND or OR, not by a comma")
    return unexpected(tokens, f"{expected} is expected before {describe(tokens)}")


def _is_behind_dot(tokens: Tokens) -> bool:
    return tokens.previous is not None and tokens.previous.kind is TokenKind.DOT


def _is_alien(character: str) -> bool:
    """Whether the character looks like one of ASCII, or cannot be seen."""
    return not character.isprintable() or (not character.isascii() and plain(character).isascii())


def _replaced(tokens: Tokens, message: str, replacement: str) -> FilterError:
    token = tokens.next
    return mistake(f"{message}: write {told(replacement)}", tokens.text, token.start, token.end, replacement)


def _odd_token_error(text: str, token: Token, *, is_name: bool) -> FilterError | None:
    """Return what is wrong with a token that no filter can hold; None for any other."""
    if token.kind is TokenKind.FOREIGN:
        right = _FOREIGN[token.value]
        message = f"{token.value} is written {right} here"
        return mistake(message, text, token.start, token.end, _spaced(text, token, right))
    if token.kind is TokenKind.CURLED:
        replacement = quote_name(token.value) if is_name else quote(token.value)
        message = f"curled quotes mean nothing here: write {told(replacement)}"
        return mistake(message, text, token.start, token.end, replacement)
    if token.kind is TokenKind.UNCLOSED:
        return _unclosed_error(text, token)
    if token.kind is not TokenKind.ODD:
        return None
    meant = plain(token.value)
    if meant != token.value and meant.isascii():
        return mistake(f"{token.value} is written {meant} here", text, token.start, token.end, meant)
    if token.value == ";":
        is_last = text[token.end :].strip() == ""
        message = "a filter is one expression, without ';'"
        return mistake(message, text, token.start, token.end, "" if is_last else None)
    if not token.value.isprintable():
        message = f"a character that cannot be seen (U+{ord(token.value):04X}) has no meaning here"
        return mistake(message, text, token.start, token.end, "")
    return FilterError(f"'{token.value}' has no meaning here", text, token.start, token.end)


def _spaced(text: str, token: Token, right: str) -> str:
    """Return what should stand in the place of a token, a word apart from its neighbours."""
    if not right[0].isalpha():
        return right
    before = " " if token.start > 0 and not text[token.start - 1].isspace() else ""
    after = " " if not text[token.end : token.end + 1].isspace() else ""
    return f"{before}{right}{after}"


def _unclosed_error(text: str, token: Token) -> FilterError:
    """Return the error for a text or name without an end; with that, where it can only be one word."""
    mark = token.value[0]
    end = token.start + 1
    closed = text.rstrip() + mark if _WORD_ALONE.fullmatch(token.value) else None
    if mark == "`":
        return FilterError("this name has no closing backtick", text, token.start, end, closed)
    if mark == "'":
        if "\\'" in text:
            closed = text.replace("\\'", "''")
        message = "this text has no closing quote; a quote inside a text is written twice: 'it''s'"
        return FilterError(message, text, token.start, end, closed)
    message = "this text has no closing quote; texts stand in single quotes"
    return FilterError(message, text, token.start, end, closed)


def _known_word_error(tokens: Tokens) -> FilterError | None:
    """Return the error for an operator in other words, or with a typing error; None for anything else."""
    token = tokens.next
    if token.kind is not TokenKind.WORD:
        return None
    meant = _FOREIGN_WORDS.get(token.value.upper()) or nearest(token.value, _WORDS)
    if meant is None:
        return None
    what = told_look_alike(token.value) or f"there is no operator {told(token.value)}"
    return mistake(f"{what}: write {meant}", tokens.text, token.start, token.end, meant)


def _value_first_error(tokens: Tokens) -> FilterError | None:
    """Return the error for `5 < field` and for `'field' = 5`; None for anything else."""
    text, token, operator, field = tokens.text, tokens.next, tokens.ahead(1), tokens.ahead(2)
    if token.kind not in (TokenKind.STRING, TokenKind.NUMBER, TokenKind.DOUBLE_QUOTED):
        return None
    if operator.kind is TokenKind.OPERATOR and field.kind is TokenKind.WORD and tokens.ahead(3).kind is TokenKind.DOT:
        end = _end_of_name(tokens, 4)
        name, value = text[field.start : end], text[token.start : token.end]
        replacement = f"{name} {_FLIPPED[operator.value]} {value}"
        message = f"the field stands first: write {told(replacement)}"
        return mistake(message, text, token.start, end, replacement)
    if token.kind is TokenKind.NUMBER or operator.kind not in (TokenKind.OPERATOR, TokenKind.DOT):
        return None
    name = token.value if _DOTTED_NAME.fullmatch(token.value) else quote_name(token.value)
    return _replaced(tokens, "names have no quotes, or backticks", name)


def _end_of_name(tokens: Tokens, at: int) -> int:
    """Return where a name ends whose next piece stands so many tokens ahead."""
    while tokens.ahead(at + 1).kind is TokenKind.DOT:
        at += 2
    return tokens.ahead(at).end
