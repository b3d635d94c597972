"""The offline captioner: honest, deterministic, and about this picture and no other."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw

from infra_cdk.local.offline_ai import app, words
from infra_cdk.local.offline_ai.looking import look
from socialflow.captions import prompt
from socialflow.captions.style import Style, Tone
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


LANGUAGES = ("en", "de", "fr", "es")
TONES: tuple[Tone, ...] = ("neutral", "friendly", "playful", "professional", "inspiring")
TAKEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def wished(data: bytes, style: Style, **more: Any) -> list[dict[str, Any]]:
    """Ask as the task does: the question is the product's own, and its answer is read by the product."""
    subject = prompt.Subject(data, "image/jpeg", taken_at=more.pop("taken_at", None), style=style)
    reply = send("POST", PATH, json={"messages": prompt.messages(subject)})
    content = reply.json()["choices"][0]["message"]["content"]
    assert len(prompt.read(content, subject)) == style.alternatives
    told = json.loads(content)
    return list(told["captions"]) if style.alternatives > 1 else [told]


def half_and_half() -> bytes:
    image = Image.new("RGB", (200, 200), "black")
    ImageDraw.Draw(image).rectangle((0, 0, 200, 99), fill="white")
    return encoded(image)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_tone_length_and_alternative_is_another_text_in_every_language(language: str) -> None:
    data = half_and_half()
    texts = [
        each["caption"]
        for tone in TONES
        for length in ("short", "medium", "long")
        for each in wished(data, Style(tone, length, language, alternatives=4))
    ]
    assert len(set(texts)) == len(texts) == 60


def test_languages_are_told_apart_and_one_that_is_not_spoken_is_told() -> None:
    told = [wished(photo(), Style(language=each))[0] for each in (*LANGUAGES, "de-AT", "ja")]
    assert len({each["caption"] for each in told}) == len(LANGUAGES)
    assert told[1] == told[4]
    assert told[5]["caption"] == told[0]["caption"]
    assert told[5]["description"].endswith("It writes en, de, fr, es and no other language.")


def test_german_french_and_spanish_are_whole() -> None:
    said = [wished(plain("#0a4010"), Style("friendly", language=each), taken_at=TAKEN)[0] for each in LANGUAGES]
    assert [each["caption"] for each in said] == [
        "Have a look: dark green in deep shade. May 2024.",
        "Schaut mal: dunkles Grün in tiefem Schatten. Mai 2024.",
        "Regardez : vert foncé dans une ombre profonde. Mai 2024.",
        "Mirad: verde oscuro en sombra profunda. Mayo de 2024.",
    ]
    assert [each["hashtags"][0] for each in said] == ["darkgreen", "dunklesGrün", "vertfoncé", "verdeoscuro"]


@pytest.mark.parametrize(("length", "most"), [("short", 1), ("medium", 3), ("long", 6)])
def test_it_is_no_longer_than_is_wished(length: Any, most: int) -> None:
    for each in wished(half_and_half(), Style(length=length, alternatives=4), taken_at=TAKEN):
        count = each["caption"].count(".")
        assert count == {1: 1, 3: 3, 6: 5}[most]


@pytest.mark.parametrize("most", [1, 30, 60, 90, 120])
def test_what_a_network_takes_is_heeded_as_far_as_a_sentence_can_be(most: int) -> None:
    data = json.dumps({"characters": most, "length": "up to six", "taken_at": TAKEN.isoformat()})
    told = described(half_and_half(), data)
    whole = told["caption"] + ("\n\n" + " ".join(f"#{tag}" for tag in told["hashtags"]) if told["hashtags"] else "")
    assert len(whole) <= most or (told["caption"] == "Black and white in even light." and not told["hashtags"])


@pytest.mark.parametrize("language", sorted(words.LANGUAGES))
def test_every_word_that_can_be_measured_is_there(language: str) -> None:
    has = words.LANGUAGES[language]
    assert has.colours.keys() == words.ENGLISH.colours.keys()
    assert len(has.months) == 12
    assert set(has.leads) == set(TONES) - {"neutral"}
    assert not set("{}") & set("".join([*has.colours.values(), *has.leads.values()]))


@pytest.mark.parametrize(
    "data",
    [
        {"tone": 5, "length": [], "language": {}, "characters": "many", "alternatives": "4"},
        {"tone": "{colours.__class__}", "language": "../de", "characters": -1, "alternatives": -3},
        {"tone": None, "length": None, "language": None, "characters": True, "alternatives": 99},
    ],
)
def test_a_wish_that_cannot_be_read_is_none(data: dict[str, Any]) -> None:
    told = described(plain("teal"), json.dumps(data))
    for each in told.get("captions", [told]):
        assert "urquoise" in each["caption"]
        assert "{" not in each["caption"]
