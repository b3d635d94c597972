"""What a tenant has twice is offered: the same content, and pictures that look the same."""

import io

from PIL import Image

from socialflow.platform.ids import new_id
from tests.integration.conftest import Member
from tests.integration.media.conftest import Studio
from tests.pictures import encoded, photo, scene


def similar(studio: Studio, media_id: str, query: str = "") -> dict[str, int]:
    """What looks like a media item, by how much."""
    reply = studio.client.get(f"/v1/media/{media_id}/similar{query}")
    assert reply.status == 200, reply
    return {one["id"]: one["bits"] for one in reply.json["items"]}


def hashed(studio: Studio, bits: str, state: str = "approved", kind: str = "image/jpeg") -> str:
    """Put a media item with a hash of its own."""
    media_id = str(new_id())
    studio.owner.execute(
        "INSERT INTO t_acme.media_items (id, state, file_name, declared_type, declared_size, object_key, dhash,"
        " upload_expires_at, created_by, deleted_at) VALUES (%s, %s, 'a', %s, 1, 'k', %s, now(), %s,"
        " CASE %s WHEN 'deleted' THEN now() END)",
        (media_id, state, kind, bits, new_id(), state),
    )
    return media_id


def test_the_same_content_is_offered_from_both_sides(studio: Studio) -> None:
    first, _ = studio.in_review(photo())
    second, _ = studio.in_review(photo())
    other, _ = studio.in_review(photo(sky="navy"))
    assert studio.read(first)["duplicates"] == [second]
    assert studio.read(second)["duplicates"] == [first]
    assert studio.read(other)["duplicates"] == []
    listed = {item["id"]: item["duplicates"] for item in studio.client.get("/v1/media").json["items"]}
    assert listed == {first: [second], second: [first], other: []}


def test_what_was_refused_or_deleted_is_not_offered(studio: Studio) -> None:
    first, _ = studio.in_review(photo())
    for state, deleted_at in (("refused", "NULL"), ("deleted", "now()")):
        second, _ = studio.in_review(photo())
        studio.owner.execute(
            f"UPDATE t_acme.media_items SET state = %s, deleted_at = {deleted_at} WHERE id = %s", (state, second)
        )
        assert studio.read(first)["duplicates"] == []


def test_a_copy_that_was_saved_again_and_made_smaller_is_found(studio: Studio) -> None:
    picture = scene(1200, 800)
    original, _ = studio.in_review(encoded(picture, quality=95))
    smaller, _ = studio.in_review(encoded(picture.resize((600, 400), Image.Resampling.LANCZOS), quality=60))
    upside_down = Image.open(io.BytesIO(encoded(picture))).transpose(Image.Transpose.ROTATE_180)
    studio.in_review(encoded(upside_down))
    assert list(similar(studio, original)) == [smaller]
    assert similar(studio, original)[smaller] <= 6
    assert list(similar(studio, smaller)) == [original]


def test_six_bits_are_near_and_seven_are_not_and_the_nearest_comes_first(studio: Studio) -> None:
    base = "10" * 32
    asked = hashed(studio, base)
    six = hashed(studio, "010101" + base[6:])
    one = hashed(studio, "0" + base[1:])
    hashed(studio, "0101010" + base[7:])
    hashed(studio, base, state="refused")
    hashed(studio, base, state="deleted")
    hashed(studio, base, kind="video/mp4")
    assert list(similar(studio, asked).items()) == [(one, 1), (six, 6)]
    assert list(similar(studio, asked, "?limit=1")) == [one]


def test_pictures_of_one_colour_are_not_all_the_same(studio: Studio) -> None:
    asked = hashed(studio, "0" * 64)
    hashed(studio, "0" * 64)
    assert similar(studio, asked) == {}


def test_another_tenants_pictures_are_not_looked_at(studio: Studio, member: Member) -> None:
    asked = hashed(studio, "10" * 32)
    reply = member("owner", "contoso").get(f"/v1/media/{asked}/similar")
    assert (reply.status, reply.code) == (404, "media-not-found")
