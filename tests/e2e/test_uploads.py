"""Uploads on the real engine: in parts that are interrupted and resumed, held to a checksum, many at once."""

import hashlib
from typing import Any

import httpx
import pytest
from PIL import Image

from infra_cdk.local.demo.client import DemoError, Person
from tests.e2e.stack import LocalStack
from tests.e2e.steps import in_state
from tests.pictures import encoded, photo

pytestmark = pytest.mark.e2e

SIDE = 3_200
"""Of a picture of noise: more bytes than one part has."""


@pytest.fixture
def editor(stack: LocalStack) -> Person:
    return stack.signed_in("editor@acme.test")


def announcement(data: bytes, **more: Any) -> dict[str, Any]:
    return {"file_name": "noise.png", "content_type": "image/png", "size": len(data), "caption": {"skip": True}, **more}


def send(editor: Person, part: dict[str, Any], data: bytes, part_size: int) -> int:
    """Send a part to its address; return the status."""
    begin = (part["number"] - 1) * part_size
    body = data[begin : begin + part["size"]]
    return editor.http.put(part["url"], content=body, headers=part["headers"]).status_code


def test_an_interrupted_upload_in_parts_is_resumed_and_comes_to_review(editor: Person) -> None:
    data = encoded(Image.effect_noise((SIDE, SIDE), 100), "PNG")
    sha256 = hashlib.sha256(data).hexdigest()
    begun = editor.post("/media/uploads", announcement(data, parts=True, sha256=sha256))
    assert (begun["method"], begun["part_count"], len(begun["parts"])) == ("multipart", 2, 2)
    path, size = f"/media/{begun['id']}/upload", begun["part_size"]

    longer = {**begun["parts"][1], "size": 10, "headers": {"Content-Length": "10"}}
    assert send(editor, longer, data, size) == 403  # another length than was signed
    assert send(editor, begun["parts"][1], data, size) == 200
    with pytest.raises(DemoError, match="1 of 2 parts are missing"):
        editor.post(f"{path}/complete")

    # The sender is gone and comes back with nothing but the id.
    resumed = editor.get(path)
    assert (resumed["received"], [part["number"] for part in resumed["parts"]]) == ([2], [1])
    assert send(editor, resumed["parts"][0], data, size) == 200
    assert send(editor, resumed["parts"][0], data, size) == 200  # a part may be sent again
    done, again = editor.post(f"{path}/complete"), editor.post(f"{path}/complete")
    assert done["id"] == again["id"] == begun["id"]

    shown = in_state(editor, f"/media/{begun['id']}", "in_review", "refused")
    assert (shown["state"], shown["sha256"], shown["width"]) == ("in_review", sha256, SIDE)
    assert httpx.get(editor.get(f"/media/{begun['id']}/download")["url"]).content == data
    with pytest.raises(DemoError, match="A file with this content is there"):
        editor.post("/media/uploads", announcement(data, sha256=sha256))


def test_what_is_given_up_takes_no_more_parts(editor: Person) -> None:
    data = bytes(9_000_000)
    begun = editor.post("/media/uploads", announcement(data, parts=True))
    assert send(editor, begun["parts"][0], data, begun["part_size"]) == 200
    asked = {"Authorization": f"Bearer {editor.token}", "X-Tenant-Id": editor.tenant}
    answer = editor.http.delete(f"{editor.api}/media/{begun['id']}/upload", headers=asked)
    assert answer.status_code == 204, answer.text
    assert send(editor, begun["parts"][1], data, begun["part_size"]) == 404
    with pytest.raises(DemoError, match="has been deleted"):
        editor.post(f"/media/{begun['id']}/upload/complete")


def test_the_bucket_itself_refuses_another_content_than_was_announced(editor: Person) -> None:
    data = photo(910, 610)
    announced = {**announcement(data), "file_name": "harbour.jpg", "content_type": "image/jpeg"}
    upload = editor.post("/media/uploads", {**announced, "sha256": hashlib.sha256(data).hexdigest()})
    damaged = bytes([data[0] ^ 1]) + data[1:]
    assert editor.http.put(upload["url"], content=damaged, headers=upload["headers"]).status_code == 400
    assert editor.http.put(upload["url"], content=data, headers=upload["headers"]).status_code == 200
    assert in_state(editor, f"/media/{upload['id']}", "in_review", "refused")["state"] == "in_review"


def test_many_are_announced_at_once_and_all_come(editor: Person) -> None:
    files = [photo(400 + n, 300) for n in range(5)]
    announced = [
        {**announcement(data), "file_name": f"{n}.jpg", "content_type": "image/jpeg"} for n, data in enumerate(files)
    ]
    results = editor.post("/media/uploads/batch", {"uploads": [*announced, {**announced[0], "size": 0}]})["results"]
    assert [each["status"] for each in results] == [201] * 5 + [422]
    for each, data in zip(results[:5], files, strict=True):
        sent = editor.http.put(each["upload"]["url"], content=data, headers=each["upload"]["headers"])
        assert sent.status_code == 200, sent.text
    for each in results[:5]:
        assert in_state(editor, f"/media/{each['id']}", "in_review", "refused")["state"] == "in_review"
