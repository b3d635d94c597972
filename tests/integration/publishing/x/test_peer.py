"""The stand-in for X is right: X's own client (PyPI `xdk`) is served by it, and asks as our adapter does."""

import base64
import json
from typing import Any

import pytest
from xdk import Client
from xdk.media.models import AppendUploadRequest, CreateMetadataRequest, InitializeUploadRequest
from xdk.posts.models import CreateRequest

from tests.integration.publishing.x.conftest import Desked

OURS = ("/2/tweets", "/2/media/upload/initialize", "/2/media/metadata")


@pytest.fixture
def client(xdesk: Desked) -> Client:
    """X's own client, acting for the account's owner."""
    return Client(base_url=xdesk.server.url, access_token=xdesk.user.token)


def test_the_vendors_client_is_served(xdesk: Desked, client: Client) -> None:
    me = client.users.get_me()
    assert (me.data.id, me.data.username) == (xdesk.user.id, xdesk.user.username)
    picture = b"a picture"
    begun = client.media.initialize_upload(
        InitializeUploadRequest(media_type="image/jpeg", total_bytes=len(picture), media_category="tweet_image")
    )
    media_id = begun.data.id
    xdesk.server.media[media_id]["parts"][0] = picture
    assert client.media.finalize_upload(media_id).data.id == media_id
    client.media.create_metadata(CreateMetadataRequest(id=media_id, metadata={"alt_text": {"text": "A ship"}}))
    made = client.posts.create(CreateRequest(text="Hello", media={"media_ids": [media_id]}))
    assert xdesk.user.said == [("Hello", ["A ship"])]
    (page,) = list(client.users.get_posts(xdesk.user.id, max_results=5))
    assert [one.id for one in page.data] == [made.data.id]
    assert client.posts.delete(made.data.id).data.deleted is True
    assert xdesk.user.posts == []


def test_the_vendors_models_take_what_our_adapter_sends(xdesk: Desked) -> None:
    models: dict[str, Any] = dict(
        zip(OURS, (CreateRequest, InitializeUploadRequest, CreateMetadataRequest), strict=True)
    )
    for path in OURS:
        xdesk.server.asked[path] = []
    xdesk.publish("Ours", media=[{"id": xdesk.desk.media()}])
    for path, model in models.items():
        (sent,) = xdesk.server.asked[path]
        body = json.loads(sent)
        read = model.model_validate(body, strict=True)
        assert read.model_dump(exclude_none=True, mode="json") == body, path
        assert set(body) <= set(model.model_fields), path


def test_a_piece_may_come_as_the_vendors_client_sends_it(xdesk: Desked, client: Client) -> None:
    begun = client.media.initialize_upload(
        InitializeUploadRequest(media_type="video/mp4", total_bytes=5, media_category="tweet_video")
    )
    piece = base64.b64encode(b"video").decode()
    client.media.append_upload(begun.data.id, AppendUploadRequest(media=piece, segment_index=0))
    assert client.media.finalize_upload(begun.data.id).data.id == begun.data.id
    assert client.media.get_upload_status(begun.data.id).data.processing_info.state == "succeeded"
