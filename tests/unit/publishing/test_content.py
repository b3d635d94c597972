"""What goes out has a hash of everything in it, and of nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from socialflow.publishing.content import Content, Piece, Rendering, Variant, idempotency_key

ACCOUNT = UUID("0199c0de-0000-7000-8000-000000000001")
TARGET = UUID("0199c0de-0000-7000-8000-000000000002")
PIECE = Piece(UUID("0199c0de-0000-7000-8000-000000000003"), "aa", "A harbour")
OTHER = Piece(UUID("0199c0de-0000-7000-8000-000000000004"), "bb", "A pier")
CONTENT = Content("Words", (PIECE, OTHER), {"mastodon": Variant(options={"visibility": "public"})})


def rendering(content: Content = CONTENT, network: str = "mastodon") -> Rendering:
    return content.rendered_for(network, ACCOUNT, "1")


@pytest.mark.parametrize(
    "changed",
    [
        replace(rendering(), text="Other"),
        replace(rendering(), text="Words "),
        replace(rendering(), media=(OTHER, PIECE)),
        replace(rendering(), media=(PIECE,)),
        replace(rendering(), media=(replace(PIECE, sha256="cc"), OTHER)),
        replace(rendering(), media=(replace(PIECE, alt_text="Else"), OTHER)),
        replace(rendering(), options={"visibility": "unlisted"}),
        replace(rendering(), account_id=TARGET),
        replace(rendering(), remote_account="2"),
        replace(rendering(), network="bluesky"),
    ],
)
def test_whatever_the_network_would_be_given_is_in_the_hash(changed: Rendering) -> None:
    assert changed.hash != rendering().hash


def test_the_same_picture_under_another_id_is_the_same_picture() -> None:
    again = replace(rendering(), media=(replace(PIECE, id=TARGET), OTHER))
    assert again.hash == rendering().hash


def test_parts_cannot_be_shifted_between_fields() -> None:
    one = replace(rendering(), media=(replace(PIECE, sha256="a", alt_text="ab"),))
    other = replace(rendering(), media=(replace(PIECE, sha256="aa", alt_text="b"),))
    assert one.hash != other.hash


def test_a_variant_replaces_and_what_it_leaves_out_is_the_posts_own() -> None:
    content = replace(CONTENT, variants={"mastodon": Variant(text="", media=None), "bluesky": Variant(media=())})
    assert (rendering(content).text, rendering(content).media) == ("", (PIECE, OTHER))
    assert (rendering(content, "bluesky").text, rendering(content, "bluesky").media) == ("Words", ())
    assert rendering(content, "threads").text == "Words"


def test_a_posts_hash_has_its_targets_in_any_order() -> None:
    first, second = rendering(), replace(rendering(), account_id=TARGET)
    assert CONTENT.hash([first, second]) == CONTENT.hash([second, first])
    assert CONTENT.hash([first]) != CONTENT.hash([first, second])


def test_all_media_are_known_by_id() -> None:
    content = replace(CONTENT, media=(PIECE,), variants={"mastodon": Variant(media=(OTHER,))})
    assert content.media_ids() == {PIECE.id, OTHER.id}


def test_documents_are_read_back() -> None:
    variant = Variant("x", (PIECE,), {"sensitive": True})
    assert Variant.of(variant.document()) == variant
    assert Variant.of(Variant().document()) == Variant()
    assert Piece.of(PIECE.document()) == PIECE


def test_a_key_is_the_targets_and_the_contents() -> None:
    key = idempotency_key(TARGET, rendering().hash)
    assert key == idempotency_key(TARGET, rendering().hash)
    assert key != idempotency_key(ACCOUNT, rendering().hash)
    assert key != idempotency_key(TARGET, replace(rendering(), text="Other").hash)
    assert key.isascii()
    assert len(key) < 100
