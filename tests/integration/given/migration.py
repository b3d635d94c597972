"""Tenants' schemas that are behind."""

from tests.integration.given import World, preparation


@preparation("acme's schema is behind")
def acme_is_behind(world: World) -> dict[str, str]:
    """Note acme's schema as one of an older deployment."""
    world.owner.execute(
        "UPDATE control.tenants SET schema_version = '0001_create_media.sql:00000000' WHERE slug = 'acme'"
    )
    return {}
