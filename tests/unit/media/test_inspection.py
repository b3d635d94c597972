"""Inspection: what a picture is told by its content; what is refused is in the corpus."""

import io
from datetime import datetime

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from socialflow.media import inspection, rendering
from tests.pictures import encoded, photo, scene


def looked_at(data: bytes, declared: str = "image/jpeg") -> inspection.Picture:
    """Open and decode, as the task does."""
    with inspection.opened(io.BytesIO(data), declared) as picture:
        rendering.render(picture)
        return picture


def test_the_camera_is_kept_and_the_place_is_not() -> None:
    picture = looked_at(photo())
    assert (picture.width, picture.height, picture.turned) == (600, 900, True)
    assert picture.captured_at == datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 # a camera's clock has no zone
    assert picture.camera == "ACME Snap 3"


@pytest.mark.parametrize("wrong", ["0000:00:00 00:00:00", "yesterday", "2024:13:41 99:00:00", ""])
def test_a_date_that_is_none_is_no_date(wrong: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = wrong
    assert looked_at(encoded(scene(), exif=exif)).captured_at is None


def test_a_cameras_name_has_no_control_characters_and_an_end() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Ev\x1b[31mil\x00", "x" * 500
    camera = looked_at(encoded(scene(), exif=exif)).camera
    assert camera == ("Ev[31mil " + "x" * 500)[:100]


@pytest.mark.parametrize("wrong", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(wrong: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = wrong
    picture = looked_at(encoded(scene(), exif=exif))
    assert (picture.width, picture.height, picture.orientation) == (900, 600, 1)


def test_damaged_metadata_is_no_reason_to_refuse_a_picture() -> None:
    data = encoded(scene(), exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff" + b"\xff" * 40)
    assert looked_at(data).width == 900


def test_what_newer_phones_write_is_a_jpeg() -> None:
    """Behind their first picture stand a preview and a depth map: Pillow calls that MPO."""
    data = encoded(scene(), "MPO", save_all=True, append_images=[scene(90, 60)])
    assert looked_at(data).content_type == "image/jpeg"


def test_a_picture_with_a_file_behind_it_is_a_picture() -> None:
    """A JPEG+ZIP polyglot decodes; its original is only ever served as an attachment."""
    assert looked_at(photo() + b"PK\x03\x04" + b"\x00" * 100).width == 600


def test_a_cameras_secrets_are_not_served() -> None:
    data = photo()
    assert all(secret in data for secret in (b"for my eyes only", b"SERIAL-4711", b"Exif"))
    with inspection.opened(io.BytesIO(data), "image/jpeg") as picture:
        for made in rendering.render(picture):
            assert not any(secret in made.data for secret in (b"for my eyes only", b"SERIAL-4711", b"Exif"))


def test_text_in_a_picture_is_not_served() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "secret")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(scene(), "PNG", pnginfo=info, icc_profile=profile)
    with inspection.opened(io.BytesIO(data), "image/png") as picture:
        for made in rendering.render(picture):
            assert b"secret" not in made.data
            assert b"ICC_PROFILE" not in made.data
