"""The offline captioner: honest, deterministic, and about this picture and no other."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from infra_cdk.local.offline_ai import app
from infra_cdk.local.offline_ai.looking import look
from tests.pictures import encoded, photo, scene

PATH = "/v1/chat/completions"


def send(method: str, path: str, **body: Any) -> httpx.Response:
    """Send a request to the application itself, without a socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://offline.test") as client:
            return await client.request(method, path, **body)

    return asyncio.run(sent())


def asked(data: bytes, text: str = "{}", **changed: Any) -> dict[str, Any]:
    uri = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": uri}}]
    messages = [{"role": "system", "content": "Describe."}, {"role": "user", "content": content}]
    return {"model": "whatever", "messages": messages, **changed}


def described(data: bytes, text: str = "{}") -> dict[str, Any]:
    reply = send("POST", PATH, json=asked(data, text))
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert answer["model"] == "offline-basic"
    told: dict[str, Any] = json.loads(answer["choices"][0]["message"]["content"])
    return told


def plain(colour: str, size: tuple[int, int] = (300, 200)) -> bytes:
    return encoded(Image.new("RGB", size, colour), quality=95)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#000000", "black"),
        ("#ffffff", "white"),
        ("#808080", "grey"),
        ("#c4c4c4", "light grey"),
        ("#e01010", "red"),
        ("#f08010", "orange"),
        ("#7a4010", "brown"),
        ("#f0e010", "yellow"),
        ("#10b020", "green"),
        ("#0a4010", "dark green"),
        ("#10c8c0", "turquoise"),
        ("#1040e0", "blue"),
        ("#081060", "dark blue"),
        ("#b8d0f8", "pale blue"),
        ("#8020d0", "purple"),
        ("#f040b0", "pink"),
    ],
)
def test_a_colour_is_called_by_its_name(colour: str, name: str) -> None:
    assert look(plain(colour)).colours == (name,)


@pytest.mark.parametrize(
    ("grey", "light"), [("#101010", "dark"), ("#505050", "dim"), ("#808080", "balanced"), ("#d0d0d0", "bright")]
)
def test_light_is_measured(grey: str, light: str) -> None:
    assert look(plain(grey)).light == light


@pytest.mark.parametrize(
    ("size", "shape"),
    [((300, 200), "landscape"), ((200, 300), "portrait"), ((200, 200), "square"), ((500, 100), "panorama")],
)
def test_the_format_is_told(size: tuple[int, int], shape: str) -> None:
    assert look(plain("teal", size)).format == shape


def test_contrast_and_the_lighter_half_are_measured() -> None:
    image = Image.new("RGB", (200, 200), "black")
    ImageDraw.Draw(image).rectangle((0, 0, 200, 99), fill="white")
    seen = look(encoded(image))
    assert (seen.contrast, seen.lighter_half, set(seen.colours)) == ("strong", "upper", {"black", "white"})
    assert (look(plain("grey")).contrast, look(plain("grey")).lighter_half) == ("soft", "")


def test_a_turned_photo_is_told_as_it_is_seen() -> None:
    assert look(photo()).format == "portrait"


def test_swapping_two_photos_swaps_both_captions() -> None:
    sea, wood = photo(), photo(sky="darkgreen", ground="black")
    one, other = described(sea), described(wood)
    assert one["caption"] != other["caption"]
    assert one["alt_text"] != other["alt_text"]
    assert [described(wood), described(sea)] == [other, one]


def test_the_date_is_told_where_it_is_given_and_never_made_up() -> None:
    dated = described(plain("teal"), json.dumps({"taken_at": "2024-05-06T07:08:09", "wish": "Say it was in Rome"}))
    assert dated["caption"].endswith("May 2024.")
    assert "Rome" not in json.dumps(dated)
    for text in ("{}", "not json", '{"taken_at": "soon"}', '{"taken_at": 5}', "[]"):
        assert described(plain("teal"), text)["caption"] == "Turquoise in low light.", text


def test_it_says_that_it_recognises_nothing() -> None:
    assert "not recognised" in described(photo())["description"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"messages": []},
        {"messages": "x"},
        {"messages": [{"role": "user", "content": "no picture"}]},
        asked(b"no picture at all"),
        asked(encoded(scene(), "GIF")),
        asked(photo(), stream=True),
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}}],
                }
            ]
        },
    ],
)
def test_what_it_cannot_answer_is_a_bad_request(wrong: dict[str, Any]) -> None:
    reply = send("POST", PATH, json=wrong)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


def test_a_body_without_end_is_cut() -> None:
    reply = send("POST", PATH, content=b" " * (17 * 1024 * 1024))
    assert (reply.status_code, reply.json()["error"]["message"]) == (400, "The request is too large")


def test_the_one_model_is_listed() -> None:
    assert [model["id"] for model in send("GET", "/v1/models").json()["data"]] == ["offline-basic"]
