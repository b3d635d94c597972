"""The stand-in for Late is right: Late's own client (PyPI `late-sdk`) is served by it, and asks as our adapter does."""

import json
from typing import Any

import httpx
import pytest
from late import Late as Client
from late.client.exceptions import LateAPIError, LateAuthenticationError, LateForbiddenError, LateNotFoundError
from late.models._generated import models

from tests.integration.publishing.late.conftest import KEY, Desked


@pytest.fixture
def client(ldesk: Desked) -> Client:
    """Late's own client, acting under acme's key."""
    return Client(api_key=KEY, base_url=ldesk.server.url, max_retries=1)


def _part(ldesk: Desked) -> dict[str, Any]:
    return {"platform": "twitter", "accountId": ldesk.theirs.id}


def test_the_vendors_client_makes_reads_changes_and_deletes(ldesk: Desked, client: Client) -> None:
    (account,) = client.accounts.list().accounts
    assert (account.field_id, account.platform.value) == (ldesk.theirs.id, "twitter")
    assert account.platformUserId == ldesk.theirs.own_id
    made = client.posts.create(content="Hello", platforms=[_part(ldesk)], is_draft=True, metadata={"ours": "1"}).post
    assert (made.status.value, made.metadata) == ("draft", {"ours": "1"})
    assert client.posts.get(made.field_id).post.content == "Hello"
    assert client.posts.update(made.field_id, content="Hello there").post.content == "Hello there"
    listed = client.posts.list(limit=5)
    assert [one.field_id for one in listed.posts] == [made.field_id]
    assert listed.pagination.total == 1
    assert client.posts.delete(made.field_id).message == "Post deleted successfully"
    with pytest.raises(LateNotFoundError):
        client.posts.get(made.field_id)
    assert ldesk.said() == []


def test_the_vendors_client_publishes_a_draft_and_takes_it_down(ldesk: Desked, client: Client) -> None:
    made = client.posts.create(content="Draft", platforms=[_part(ldesk)], is_draft=True).post
    told = client.posts.update_post(made.field_id, is_draft=False, publish_now=True)
    post = models.PostUpdateResponse.model_validate(told).post
    assert (post.status.value, ldesk.said()) == ("published", ["Draft"])
    assert post.platforms[0].platformPostId
    assert post.platforms[0].publishedAt
    with pytest.raises(LateAPIError) as refused:
        client.posts.update_post(made.field_id, is_draft=False, publish_now=True)
    assert refused.value.status_code == 400
    with pytest.raises(LateAPIError):
        client.posts.delete(made.field_id)
    assert client.posts.unpublish_post(made.field_id, "twitter")["success"] is True
    assert client.posts.get(made.field_id).post.status.value == "cancelled"
    assert ldesk.said() == []


def test_the_vendors_client_uploads_where_it_is_told(ldesk: Desked, client: Client) -> None:
    signed = client.media.get_media_presigned_url("a.jpg", "image/jpeg", size=7)
    assert httpx.put(signed["uploadUrl"], content=b"picture", headers={"Content-Type": "image/jpeg"}).is_success
    assert list(ldesk.server.stored.values()) == [b"picture"]
    with pytest.raises(LateAPIError):
        client.media.get_media_presigned_url("a.exe", "application/x-msdownload")


def test_the_vendors_client_is_told_of_what_is_there_already(ldesk: Desked, client: Client) -> None:
    first = client.posts.create(content="Twice", platforms=[_part(ldesk)], publish_now=True).post
    with pytest.raises(LateAPIError) as refused:
        client.posts.create(content="Twice", platforms=[_part(ldesk)], publish_now=True)
    assert refused.value.status_code == 409
    assert refused.value.details["details"]["existingPostId"] == first.field_id
    body = {"content": "Once", "platforms": [_part(ldesk)], "isDraft": True}
    headers = {"x-request-id": "6b7b1f3e-6d0f-4b57-9a63-5a6d8a2f1c11"}
    made = client._post("/v1/posts", data=body, headers=headers)["post"]["_id"]
    assert client._post("/v1/posts", data=body, headers=headers)["existingPost"]["_id"] == made


def test_the_vendors_client_understands_the_refusals(ldesk: Desked, client: Client) -> None:
    with pytest.raises(LateAuthenticationError):
        Client(api_key="sk_nobody", base_url=ldesk.server.url, max_retries=1).accounts.list()
    ldesk.theirs.is_active = False
    with pytest.raises(LateForbiddenError) as refused:
        client.posts.create(content="Hello", platforms=[_part(ldesk)], publish_now=True)
    assert refused.value.details["code"] == "ACCOUNT_DISCONNECTED"
    ldesk.theirs.is_active = True
    ldesk.server.ends = "auth_expired"
    failed = client.posts.create(content="Hello", platforms=[_part(ldesk)], publish_now=True).post
    assert failed.platforms[0].errorCategory.value == "auth_expired"
    assert failed.platforms[0].errorSource.value == "platform"


def test_what_our_adapter_sends_is_what_the_vendors_models_have(ldesk: Desked) -> None:
    wire, seen = ldesk.server.wire, {}
    for method, path in (("POST", "/api/v1/media/presign"), ("POST", "/api/v1/posts")):
        wire.remember(method, path)
        ldesk.publish(f"Ours by {path}", media=[{"id": ldesk.desk.media()}])
        seen[path] = json.loads(wire.remembered.pop())
    assert set(seen["/api/v1/media/presign"]) == {"filename", "contentType", "size"}
    draft = seen["/api/v1/posts"]
    assert set(draft) == {"content", "mediaItems", "platforms", "isDraft", "metadata"}
    (item,) = draft["mediaItems"]
    assert models.MediaItem.model_validate(item).model_dump(exclude_none=True, mode="json") == item
    assert set(draft["platforms"][0]) <= set(models.PlatformTarget.model_fields)
