"""What speaking HTTP with a network's server has in common: what an exchange can come to, and what an answer says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from socialflow.platform import egress
from socialflow.publishing.networks.port import Later, Refused, Unknown

Judge = Callable[[httpx.Response], Refused | None]
"""Reads an answer for a clear refusal: one that was given before anything was made."""

_RESETS = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")
_YEARS = range(2000, 2200)
"""What is dated otherwise is no moment: some of those that can be written no database gives back."""
# httpx raises these before a byte of the request is written.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Body:
    """A JSON answer of a status below 300."""

    status: int
    value: Any


def ask(client: httpx.Client, request: httpx.Request, judge: Judge, *, empty: object = None) -> Body | Refused | Later:
    """Send what may be repeated freely: whatever is no clear refusal is tried again later.

    `empty` is what an answer without a body says, for a network that may leave it out.
    """
    try:
        response = egress.send(client, request)
    except egress.HostRefused as refused:
        return not_called(refused)
    except httpx.HTTPError as error:
        return Later(f"The server did not answer ({type(error).__name__}).")
    refusal = judge(response)
    if refusal is not None:
        return refusal
    value = value_of(response) if response.content else empty
    if response.status_code >= 300 or value is None:
        return Later(f"The server answered {response.status_code}.", wait(response))
    return Body(response.status_code, value)


def send_once(client: httpx.Client, request: httpx.Request) -> httpx.Response | Refused | Later | Unknown:
    """Send a mutation; what ended without an answer may have arrived, unless no byte was written."""
    try:
        return egress.send(client, request)
    except egress.HostRefused as refused:
        return not_called(refused)
    except _NEVER_SENT as error:
        return Later(f"The server could not be reached ({type(error).__name__}).")
    except httpx.HTTPError as error:
        return Unknown(f"The connection ended before the answer ({type(error).__name__}).")


def not_called(refused: egress.HostRefused) -> Refused:
    """Return the refusal to call an address at all."""
    return Refused("host-refused", f"The server's address is not called: {refused}.")


def value_of(response: httpx.Response) -> Any:
    """Return an answer's JSON, as it can be stored; None where it is none."""
    try:
        value = response.json()
        # Signs that no database takes can only come escaped: what is not UTF-8 is no JSON.
        return _storable(value) if b"\\u" in response.content else value
    except (ValueError, RecursionError):
        return None


def _storable(value: Any) -> Any:
    """Return a JSON value without NUL and halves of signs."""
    match value:
        case str():
            return value.replace("\0", "?").encode(errors="replace").decode()
        case list():
            return [_storable(one) for one in value]
        case dict():
            return {_storable(name): _storable(one) for name, one in value.items()}
    return value


def line(said: object, most: int = 300) -> str:
    """Return what a server says as one line that can be shown; empty where it says nothing."""
    shown = "".join(one if one.isprintable() else " " for one in said[:most]) if isinstance(said, str) else ""
    return " ".join(shown.split())


def web(address: object) -> str | None:
    """Return an address that a page may link to; None where it is none."""
    is_one = isinstance(address, str) and len(address) <= 2_000 and address.isprintable()
    return str(address) if is_one and str(address).startswith(("https://", "http://")) else None


def member(value: object, name: str) -> Any:
    """Return a member of what should be an object; None where it is not there."""
    return value.get(name) if isinstance(value, dict) else None


def wait(response: httpx.Response) -> float | None:
    """Return the seconds of Retry-After, or until the moment that a reset header names (ISO 8601, or Unix time)."""
    after = response.headers.get("retry-after", "")
    if after.isdecimal() and len(after) < 10:
        return float(after)
    told = (response.headers.get(name, "") for name in _RESETS)
    reset = _reset(next(filter(None, told), ""))
    return None if reset is None else max(0.0, (reset - datetime.now(UTC)).total_seconds())


def moment(value: object) -> datetime | None:
    """Return a moment of this age that a server tells; UTC where it names no zone."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)) if found.year in _YEARS else None


def _reset(value: str) -> datetime | None:
    return datetime.fromtimestamp(int(value), UTC) if value.isdecimal() and len(value) < 12 else moment(value)
