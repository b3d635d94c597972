"""What the networks themselves show of the demo's posts; nothing here asks the product."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from infra_cdk.local.demo.client import DemoError, Document

BLUESKY = "app.bsky.feed.post"
PAGE = 40


@dataclass(frozen=True)
class Network:
    """How a network is asked: for all that an account has published, by id, and for one post with its picture."""

    listed: Callable[[httpx.Client, str, str], set[str]]
    shown: Callable[[httpx.Client, str, str], tuple[str, str]]


def told(http: httpx.Client, url: str, **query: str | int) -> httpx.Response:
    """What a server answers; raises DemoError when that is not what was asked for."""
    try:
        answer = http.get(url, params=query or None)
    except httpx.HTTPError as error:
        raise DemoError(f"{url} does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK or not answer.content:
        raise DemoError(f"{url} is not there ({answer.status_code})")
    return answer


def _statuses(http: httpx.Client, server: str, account: str) -> set[str]:
    found: set[str] = set()
    query: dict[str, str | int] = {"limit": PAGE}
    while page := told(http, f"{server}/api/v1/accounts/{account}/statuses", **query).json():
        found |= {status["id"] for status in page}
        query["max_id"] = page[-1]["id"]
    return found


def _status(http: httpx.Client, server: str, status_id: str) -> tuple[str, str]:
    link = f"{server}/api/v1/statuses/{status_id}"
    attachments = told(http, link).json()["media_attachments"]
    if not attachments:
        raise DemoError(f"the status {link} has no picture")
    return link, attachments[0]["url"]


def _records(http: httpx.Client, server: str, account: str) -> set[str]:
    found: set[str] = set()
    query: dict[str, str | int] = {"repo": account, "collection": BLUESKY, "limit": PAGE}
    while True:
        page: Document = told(http, f"{server}/xrpc/com.atproto.repo.listRecords", **query).json()
        found |= {record["uri"] for record in page["records"]}
        if not page.get("cursor"):
            return found
        query["cursor"] = page["cursor"]


def _record(http: httpx.Client, server: str, uri: str) -> tuple[str, str]:
    repo, _, key = uri.removeprefix("at://").split("/")
    answer = told(http, f"{server}/xrpc/com.atproto.repo.getRecord", repo=repo, collection=BLUESKY, rkey=key)
    images = answer.json()["value"].get("embed", {}).get("images", [])
    if not images:
        raise DemoError(f"the record {uri} has no picture")
    return str(
        answer.url
    ), f"{server}/xrpc/com.atproto.sync.getBlob?did={repo}&cid={images[0]['image']['ref']['$link']}"


NETWORKS: Mapping[str, Network] = {"mastodon": Network(_statuses, _status), "bluesky": Network(_records, _record)}
