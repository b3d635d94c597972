"""What a file is called when somebody saves it."""

import dataclasses
from urllib.parse import quote, unquote

import pytest

from socialflow.media.naming import MAX_ENCODED, disposition, saved_as
from tests.unit.media.test_changes import ITEM


@pytest.mark.parametrize(
    ("title", "file_name", "variant", "key", "name"),
    [
        ("", "harbour.jpg", "original", "k/original.jpg", "harbour.jpg"),
        ("Dusk", "harbour.jpg", "original", "k/original.jpg", "harbour.jpg"),
        ("", "harbour.jpg", "small", "k/small.jpg", "harbour-small.jpg"),
        ("", "clip.MOV", "preview", "k/preview.mp4", "clip-preview.mp4"),
        ("Dusk", "harbour.jpg", "gif", "k/gif.gif", "Dusk-gif.gif"),
        ("../../etc/passwd", "harbour.jpg", "thumb", "k/thumb.jpg", "-..-etc-passwd-thumb.jpg"),
        ("...", "harbour", "thumb", "k/thumb.jpg", "harbour-thumb.jpg"),
    ],
)
def test_a_variant_is_named_by_what_people_call_it(
    title: str, file_name: str, variant: str, key: str, name: str
) -> None:
    assert saved_as(dataclasses.replace(ITEM, title=title, file_name=file_name), variant, key) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("harbour (1).jpg", "harbour (1).jpg"),
        ('a"; filename="evil.html', "a__ filename__evil.html"),
        ("a\r\nSet-Cookie: x.jpg", "a__Set-Cookie_ x.jpg"),
        ("港.jpg", "_.jpg"),
        ("100%\\é.jpg", "100___.jpg"),
    ],
)
def test_a_name_cannot_leave_its_place_in_the_header(name: str, plain: str) -> None:
    header = disposition("attachment", name)
    assert header == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    assert header.isascii()
    assert header.isprintable()


@pytest.mark.parametrize("name", ["🌊" * 250 + ".jpeg", "x" * 255, "." + "ä" * 254, "a." + "🌊" * 250])
def test_a_long_name_is_cut_before_its_ending(name: str) -> None:
    encoded = disposition("inline", name).rpartition("''")[2]
    assert len(encoded) <= MAX_ENCODED
    assert unquote(encoded)[0] == name[0]
    assert unquote(encoded).endswith(".jpeg") or not name.endswith(".jpeg")
