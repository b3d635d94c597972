"""First comments on Instagram and Facebook: text under a post, by whoever has posted it.

Facts, read on 2026-11-27: https://developers.facebook.com/documentation/instagram-platform/instagram-graph-api/reference
/ig-media/comments and https://developers.facebook.com/docs/graph-api/reference/object/comments. Neither keeps a key of
ours: what may have arrived is looked for under the post.
"""

from datetime import timedelta

import httpx

from socialflow.publishing.content import Answered
from socialflow.publishing.networks import evidence, graph, wire
from socialflow.publishing.networks.port import Answer, Later, NotSeen, Receipt, Refused, Search
from socialflow.publishing.networks.wire import member

PAGE = 50
SKEW = timedelta(seconds=60)
_ROOT = f"/{graph.VERSION}"


def publish(opened: httpx.Client, answers: Answered, text: str) -> Answer:
    """Comment under a post."""
    request = opened.build_request("POST", f"{_ROOT}/{answers.parent.remote_id}/comments", json={"message": text})
    response = wire.send_once(opened, request)
    if not isinstance(response, httpx.Response):
        return response
    made = graph.outcome(response)
    return Receipt(made, None, None, {"answered": 200}) if isinstance(made, str) else made


def find(opened: httpx.Client, answers: Answered, search: Search, text: str) -> Receipt | NotSeen | Later:
    """Look through the comments under a post; `text` is the field that has theirs."""
    query: dict[str, str | int] = {"fields": f"id,{text},timestamp,created_time,from,user", "limit": PAGE}
    if text == "message":
        query |= {"fields": f"id,{text},created_time,permalink_url,from", "order": "reverse_chronological"}
    page = graph.ask(opened, "GET", f"{_ROOT}/{answers.parent.remote_id}/comments", params=query)
    if isinstance(page, Refused | Later):
        return page if isinstance(page, Later) else Later("The comments cannot be read.")
    found = member(page, "data") if isinstance(member(page, "data"), list) else []
    for one in found:
        if _is_it(one, search, text):
            return graph.receipt(one["id"], one, {"found": "comments"})
    return NotSeen(len(found))


def _is_it(comment: object, search: Search, text: str) -> bool:
    """Tell whether a comment is this one: ours, since the attempt began, and not accounted for."""
    made, at = graph.id_of(comment), graph.made_at(comment)
    if made is None or made in search.taken or (at is not None and at < search.since - SKEW):
        return False
    # Instagram names the user of comments of whoever asks, and of nobody else's.
    ours = member(comment, "user") is not None or (
        member(member(comment, "from"), "id") == search.rendering.remote_account
    )
    return ours and evidence.same(str(member(comment, text) or ""), search.rendering.text)
