"""First comments on LinkedIn. Facts, read on 2026-11-27: https://learn.microsoft.com/linkedin/marketing, the page
community-management/shares/comments-api.

A comment is named by the post that it is under and a number. Apps without LinkedIn's Community Management API are
refused here (403), and then the post is out without its comment.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from socialflow.publishing.content import Answered, Rendering
from socialflow.publishing.networks import evidence, linkedin_api, wire
from socialflow.publishing.networks.port import Answer, Later, NotSeen, Receipt, Refused, Search, Unknown
from socialflow.publishing.networks.wire import Body, member

PAGE = 50
SKEW = timedelta(seconds=60)
URN = re.compile(r"urn:li:comment:\((urn:li:(?:activity|share|ugcPost):[0-9]{1,25}),([0-9]{1,25})\)")


def publish(client: httpx.Client, answers: Answered, rendering: Rendering) -> Answer:
    """Comment under a post."""
    body = {
        "actor": rendering.remote_account,
        "object": answers.parent.remote_id,
        "message": {"text": rendering.text},
    }
    response = wire.send_once(client, client.build_request("POST", _under(answers), json=body))
    if not isinstance(response, httpx.Response):
        return response
    if response.status_code == 429:
        return Later("LinkedIn limits the rate of comments.", wire.wait(response))
    refusal = linkedin_api.refusal(response)
    if refusal is not None:
        return refusal
    urn = _urn(wire.value_of(response))
    if response.status_code == 201 and urn is not None:
        return _receipt(urn, answers, None, {"answered": 201})
    return Unknown(f"LinkedIn answered {response.status_code} and no comment with it.")


def find(client: httpx.Client, answers: Answered, search: Search) -> Receipt | NotSeen | Later:
    """Look through the comments under a post, where they may be read."""
    found = wire.ask(client, client.build_request("GET", _under(answers), params={"count": PAGE}), linkedin_api.hidden)
    if isinstance(found, Refused) and found.code == linkedin_api.HIDDEN:
        return NotSeen(0)
    if not isinstance(found, Body):
        return found if isinstance(found, Later) else Later("The comments cannot be read.")
    comments = member(found.value, "elements")
    for one in comments if isinstance(comments, list) else []:
        urn, at = _urn(one), _made_at(one)
        if urn is None or urn in search.taken or (at is not None and at < search.since - SKEW):
            continue
        ours = member(one, "actor") == search.rendering.remote_account
        if ours and evidence.same(str(member(member(one, "message"), "text") or ""), search.rendering.text):
            return _receipt(urn, answers, at, {"found": "comments"})
    return NotSeen(len(comments) if isinstance(comments, list) else 0)


def delete(client: httpx.Client, post: str, comment: str, actor: str) -> Body | Refused | Later:
    """Delete a comment under a post."""
    path = f"/rest/socialActions/{quote(post, safe='')}/comments/{comment}"
    return wire.ask(
        client, client.build_request("DELETE", path, params={"actor": actor}), linkedin_api.missing, empty={}
    )


def _under(answers: Answered) -> str:
    return f"/rest/socialActions/{quote(answers.parent.remote_id, safe='')}/comments"


def _urn(comment: object) -> str | None:
    for name in ("commentUrn", "$URN"):
        urn = member(comment, name)
        if isinstance(urn, str) and URN.fullmatch(urn):
            return urn
    return None


def _made_at(comment: object) -> datetime | None:
    told = member(member(comment, "created"), "time")
    return datetime.fromtimestamp(told / 1000, UTC) if type(told) is int and 0 < told < 1 << 45 else None


def _receipt(urn: str, answers: Answered, at: datetime | None, found: Mapping[str, Any]) -> Receipt:
    return Receipt(urn, f"https://www.linkedin.com/feed/update/{answers.parent.remote_id}/", at, found)
