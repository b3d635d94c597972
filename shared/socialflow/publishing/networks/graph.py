"""The Graph API of Instagram, Facebook and Threads: how it is asked, and what its errors mean.

Facts, read on 2026-11-27: https://developers.facebook.com/documentation/instagram-platform (error-codes of 2 June 2026)
and https://developers.facebook.com/docs/graph-api/guides/error-handling. Errors come as 400 for almost everything, so
that a number decides; a number that is not known here proves nothing about a mutation.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx

from socialflow.platform import egress
from socialflow.platform.clock import now
from socialflow.publishing.networks import wire
from socialflow.publishing.networks.grants import Grant
from socialflow.publishing.networks.port import Answer, Deletion, Gone, Later, Receipt, Refused, Unknown
from socialflow.publishing.networks.wire import Body, member

VERSION = "v25.0"
"""Of 18 February 2026; taken until July 2028 (https://developers.facebook.com/docs/graph-api/changelog/versions)."""
ID = re.compile(r"[0-9]{1,32}(?:_[0-9]{1,32})?")
NOT_THERE = "post-not-found"
_RECONNECT = "Connect the account again, then retry."
_ALLOW = "Connect the account again and allow what is asked for."
_SETTLE = "Settle it in the app, then retry."
_ANOTHER = "Change what is not taken, then retry."
_LIMITED = frozenset({4, 17, 32, 341, 613, 80001, 80002, 80006})
"""Rates: nothing was made."""
_CODES: Mapping[int, tuple[str, str]] = {
    10: ("permission-missing", _ALLOW),
    100: ("content-refused", _ANOTHER),
    102: ("invalid-credentials", _RECONNECT),
    190: ("invalid-credentials", _RECONNECT),
    200: ("permission-missing", _ALLOW),
    368: ("account-unavailable", _SETTLE),
    506: ("duplicate-content", "Look there: if it is this post, say so, else change the text."),
    9004: ("content-refused", "The medium could not be fetched or read: choose another."),
    36000: ("content-refused", "Choose a smaller picture, or make a rendition."),
    36001: ("content-refused", "Choose another kind of picture."),
    36003: ("content-refused", "Make a rendition with a ratio that is taken."),
    36004: ("content-refused", "Shorten the text."),
}
_SUBCODES: Mapping[int, tuple[str, str]] = {
    2207006: ("permission-missing", _ALLOW),
    2207020: ("media-expired", "Retry: the media are sent again."),
    2207026: ("content-refused", "Make a rendition of the video."),
    2207042: ("quota-used-up", "The account's posts of 24 hours are used up: give it a later time."),
    2207050: ("account-unavailable", _SETTLE),
    2207051: ("account-unavailable", _SETTLE),
}
_NOT_READY = 2207027
_STATUSES = {401: ("invalid-credentials", _RECONNECT), 404: ("network-refused", "Try again later."), 413: _CODES[36000]}


def client(base_url: str, grant: Grant, seconds: float) -> Any:
    """Open a client that acts for the account; the token is in no address."""
    return egress.client(base_url, seconds=seconds, headers={"Authorization": f"Bearer {grant.access}"})


def refusal(response: httpx.Response) -> Refused | None:
    """Return why something is not taken, where that is said clearly and before anything is made."""
    error = member(wire.value_of(response), "error")
    code, subcode = member(error, "code"), member(error, "error_subcode")
    if response.status_code < 400 or response.status_code >= 500 or _limited(error) or subcode == _NOT_READY:
        return None
    known = _SUBCODES.get(subcode) if isinstance(subcode, int) else None
    if known is None:
        known = _CODES.get(code) if isinstance(code, int) else _STATUSES.get(response.status_code)
    return Refused(known[0], f"It says: {_words(error, response)}. {known[1]}") if known else None


def ask(opened: httpx.Client, method: str, path: str, **more: Any) -> Any:
    """Return the JSON of what may be repeated freely, or `Refused` or `Later`."""
    answer = wire.ask(opened, opened.build_request(method, path, **more), refusal)
    return answer.value if isinstance(answer, Body) else answer


def outcome(response: httpx.Response) -> Answer | str:
    """Return the id of what a mutation has made, or what else came of it."""
    error = member(wire.value_of(response), "error")
    if response.status_code == 429 or _limited(error):
        return Later("The network limits the rate of posts.", _wait(response))
    if member(error, "error_subcode") == _NOT_READY:
        return Later("The network is still processing the media.")
    refused = refusal(response)
    if refused is not None:
        return refused
    made = id_of(wire.value_of(response))
    if response.status_code == 200 and made is not None:
        return made
    return Unknown(f"The network answered {response.status_code} and no post with it: {_words(error, response)}.")


def deleted(opened: httpx.Client, path: str) -> Deletion:
    """Delete an object; what is not there is gone."""
    answer = wire.ask(opened, opened.build_request("DELETE", path), _missing)
    if isinstance(answer, Refused) and answer.code == NOT_THERE:
        return Gone("It is there no more.")
    if isinstance(answer, Body):
        if member(answer.value, "success") is True:
            return Gone("It is there no more.")
        return Later("The network has not said that the post is deleted.")
    return answer


def described(opened: httpx.Client, path: str, made: str, found: Mapping[str, Any]) -> Receipt:
    """Return a receipt with the address and the moment that the network tells, if it does."""
    told = ask(opened, "GET", path)
    if isinstance(told, Refused | Later):
        return Receipt(made, None, None, found)
    return receipt(made, told, found)


def receipt(made: str, told: object, found: Mapping[str, Any]) -> Receipt:
    """Return the receipt of an object as a list or a question shows it."""
    url = wire.web(member(told, "permalink") or member(told, "permalink_url"))
    return Receipt(made, url, made_at(told), found)


def made_at(told: object) -> datetime | None:
    """Return when an object was made."""
    at = member(told, "timestamp") or member(told, "created_time")
    return wire.moment(at.replace("+0000", "+00:00")) if isinstance(at, str) else None


def renewed(base_url: str, grant: Grant, kind: str, *, seconds: float) -> Grant | Refused | Later:
    """Exchange a token of sixty days for the next; `kind` is what the network calls that."""
    with client(base_url, grant, seconds) as opened:
        query = {"grant_type": kind, "access_token": grant.access}
        answer = ask(opened, "GET", "/refresh_access_token", params=query)
    access, life = member(answer, "access_token"), member(answer, "expires_in")
    if isinstance(answer, Refused | Later):
        return answer
    if not isinstance(access, str) or not access or type(life) is not int or life <= 0:
        return Later("The network has answered with no token.")
    return Grant(access, grant.refresh, now().timestamp() + life, grant.more)


def id_of(value: object) -> str | None:
    """Return an object's id; None where it has none."""
    found = member(value, "id")
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def _limited(error: object) -> bool:
    """Tell whether it is too much just now; what a known subcode says is more exact."""
    code, subcode = member(error, "code"), member(error, "error_subcode")
    return isinstance(code, int) and code in _LIMITED and not (isinstance(subcode, int) and subcode in _SUBCODES)


def _missing(response: httpx.Response) -> Refused | None:
    error = member(wire.value_of(response), "error")
    if (member(error, "code"), member(error, "error_subcode")) == (100, 33):
        return Refused(NOT_THERE, "There is no such post.")
    return refusal(response)


def _words(error: object, response: httpx.Response) -> str:
    said = member(error, "error_user_msg") or member(error, "message")
    return wire.line(said).rstrip(". ") or f"HTTP {response.status_code}"


def _wait(response: httpx.Response) -> float | None:
    """Return the seconds until the account has room again: the longest of its uses."""
    try:
        uses = json.loads(response.headers.get("x-business-use-case-usage", "{}"))
        told = [use["estimated_time_to_regain_access"] for each in uses.values() for use in each]
        minutes = max((float(one) for one in told if type(one) in (int, float)), default=0.0)
    except (ValueError, TypeError, KeyError, AttributeError):
        minutes = 0.0
    return minutes * 60 if minutes > 0 else wire.wait(response)
