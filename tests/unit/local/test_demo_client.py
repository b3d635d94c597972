"""The demo's client of the API: what it repeats, and what it says when it is refused."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from infra_cdk.local.demo import run
from infra_cdk.local.demo.client import DemoError, Person, photos_in, send_file


def _person(*answers: httpx.Response) -> tuple[Person, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return left.pop(0)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return Person(client, "http://api/v1", "editor@acme.test", "token", "acme"), asked


def test_a_busy_api_is_asked_again_with_the_same_key() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "0"})
    person, asked = _person(busy, httpx.Response(201, json={"id": "1"}))

    assert person.post("/posts", {"text": "x"}) == {"id": "1"}

    assert len({request.headers["Idempotency-Key"] for request in asked}) == 1
    assert {request.headers["X-Tenant-Id"] for request in asked} == {"acme"}


def test_a_refusal_is_told_with_what_the_problem_says() -> None:
    problem: dict[str, Any] = {"detail": "Correct the fields.", "errors": [{"pointer": "/text", "code": "too-long"}]}
    person, _ = _person(httpx.Response(422, json=problem))

    with pytest.raises(DemoError, match=r"POST /posts was refused \(422\): Correct the fields\.; /text: too-long"):
        person.post("/posts")


def test_an_answer_that_is_no_json_is_told_too() -> None:
    person, _ = _person(httpx.Response(502, text="Bad Gateway"))

    with pytest.raises(DemoError, match="Bad Gateway"):
        person.get("/posts")


def test_an_upload_is_sent_as_it_was_signed(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"picture")
    person, asked = _person(httpx.Response(200))
    upload = {"method": "PUT", "url": "http://bucket/a?sig=1", "headers": {"Content-Type": "image/jpeg"}}

    send_file(person.http, photo, upload)

    assert (asked[0].method, str(asked[0].url), asked[0].content) == ("PUT", "http://bucket/a?sig=1", b"picture")
    assert asked[0].headers["Content-Type"] == "image/jpeg"


def test_a_refused_upload_is_told(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(b"picture")
    person, _ = _person(httpx.Response(403, text="SignatureDoesNotMatch"))

    with pytest.raises(DemoError, match=r"a\.jpg could not be uploaded \(403\): SignatureDoesNotMatch"):
        send_file(person.http, photo, {"method": "PUT", "url": "http://bucket/a", "headers": {}})


def test_photos_are_found_by_their_kind_and_in_order(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpeg", "notes.txt", "c.webp"):
        (tmp_path / name).touch()

    assert [path.name for path in photos_in(tmp_path)] == ["a.jpeg", "b.PNG", "c.webp"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="there is no folder"):
        photos_in(tmp_path / "none")


def test_without_a_stack_the_demo_says_how_to_start_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run({}, tmp_path, tmp_path) == 1
    assert "start it with `make up`" in capsys.readouterr().out


def test_the_photos_that_ship_have_a_licence_each() -> None:
    folder = Path(__file__).parents[3] / "infra_cdk" / "local" / "demo" / "photos"
    told = (folder / "LICENCES.md").read_text()

    shipped = photos_in(folder)
    assert len(shipped) == 3
    for photo in shipped:
        assert f"`{photo.name}`" in told
        assert photo.stat().st_size < 300_000
