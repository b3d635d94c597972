"""A body as one JSON object of plain text and plain numbers, or a refusal that says where it is not.

Python's own parser takes more than JSON (NaN, the last of two equal keys, integers of any length) and PostgreSQL takes
less (no NUL, no lone surrogate): whatever lies between is refused here, once, with its place.
"""

import base64
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from socialflow.errors import FieldError, UnsupportedMediaType
from socialflow.platform.http.problems import pointer
from socialflow.platform.http.refusals import BodyTooLarge, MalformedBody

MAX_BYTES = 512 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly (RFC 7493)."""

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_JSON = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)


def read(content_type: str, body: str | None, *, is_base64: bool) -> dict[str, Any] | None:
    """Return the body's object, None where there is no body; raises the edge's refusals."""
    if not body:
        return None
    if not _JSON.fullmatch(content_type.strip()):
        raise UnsupportedMediaType("Send the body as JSON, with the header Content-Type: application/json.")
    return parse(raw(body, is_base64=is_base64))


def raw(body: str, *, is_base64: bool, most: int = MAX_BYTES) -> bytes:
    """Return the body's bytes as they were sent, `most` of them; raises `BodyTooLarge` or `MalformedBody`."""
    if len(body) > (most * 4 // 3 + 4 if is_base64 else most):
        raise _too_large(most)
    try:
        sent = base64.b64decode(body, validate=True) if is_base64 else body.encode()
    except ValueError:  # of the encoding or of base64, which is ASCII
        raise _not_utf8() from None
    if len(sent) > most:
        raise _too_large(most)
    return sent


def parse(sent: bytes) -> dict[str, Any]:
    """Return the object that the bytes are; raises `MalformedBody`."""
    try:
        document = _parse(sent.decode())
    except UnicodeError:
        raise _not_utf8() from None
    if not isinstance(document, dict):
        raise _malformed("", "not-an-object", "Send one JSON object.")
    for parts, value in _walk(document):
        _check(parts, value)
    return document


def is_plain(text: str) -> bool:
    """Tell whether text can be stored and sent: no NUL, no half of a surrogate pair."""
    return _UNFIT.search(text) is None


def _parse(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:  # also an integer of more digits than Python converts
        at = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise _malformed("", "json-invalid", f"The body is not JSON: look{at or ' at its numbers'}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _malformed("", "duplicate-key", "An object has one key twice. Send each key once.")
    return found


def _no_constant(name: str) -> object:
    raise _malformed("", "number-invalid", f"{name} is not a JSON number.")


def _walk(document: object) -> Iterator[tuple[tuple[int | str, ...], object]]:
    """Yield every key and value with its place, without recursion."""
    waiting: list[tuple[tuple[int | str, ...], object]] = [((), document)]
    while waiting:
        parts, value = waiting.pop()
        if len(parts) > MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield parts, key
                waiting.append(((*parts, key), inner))
        elif isinstance(value, list):
            waiting.extend(((*parts, index), inner) for index, inner in enumerate(value))
        else:
            yield parts, value


def _check(parts: tuple[int | str, ...], value: object) -> None:
    if isinstance(value, str) and not is_plain(value):
        raise _malformed(pointer(parts), "text-invalid", "Text may hold no NUL and no half of a surrogate pair.")
    if isinstance(value, float) and not math.isfinite(value):
        raise _malformed(pointer(parts), "number-invalid", "The number is too large.")
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise _malformed(pointer(parts), "number-invalid", f"Whole numbers go up to {MAX_INTEGER}.")


def _malformed(at: str, code: str, detail: str) -> MalformedBody:
    return MalformedBody(detail, errors=[FieldError(at, code, detail)])


def _not_utf8() -> MalformedBody:
    return _malformed("", "not-utf-8", "Send the body as UTF-8.")


def _too_deep() -> MalformedBody:
    return _malformed("", "too-deep", f"Objects and lists may lie at most {MAX_DEPTH} deep.")


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body has at most {most:,} bytes.", max_bytes=most)
