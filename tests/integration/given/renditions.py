"""Renditions at each point of their way."""

from uuid import UUID

from socialflow.media import renditions
from socialflow.media.rendition_spec import Wish
from socialflow.platform.clock import now
from socialflow.platform.database import transaction
from socialflow.platform.ids import new_id
from tests.integration.given import World, preparation
from tests.integration.given.media import photo_to_caption, video_to_hash


@preparation("a rendition is to be made")
def rendition_to_make(world: World) -> dict[str, str]:
    """Ask for a photo as Instagram takes it, and start its workflow: `${rendition_id}`, run 1."""
    return _asked(world, photo_to_caption(world), Wish("instagram", "4:5"))


@preparation("a video's rendition is to be made")
def video_rendition_to_make(world: World) -> dict[str, str]:
    """Ask for a video as Mastodon takes it, and start its workflow: `${rendition_id}`, run 1."""
    return _asked(world, video_to_hash(world), Wish("mastodon"))


def _asked(world: World, known: dict[str, str], wish: Wish) -> dict[str, str]:
    with transaction(world.acme) as tx:
        rendition, is_new = renditions.ask(tx, UUID(known["media_id"]), wish, by=new_id(), at=now())
    assert is_new
    world.owner.execute("UPDATE cell.work SET run = 1 WHERE id = %s", (rendition.id,))
    return known | {"rendition_id": str(rendition.id)}
