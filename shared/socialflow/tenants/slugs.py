"""Slugs that nobody gets: names of ours, of PostgreSQL's and of the web's, which could be taken for the product."""

import re

RESERVED = frozenset(
    """
    about abuse account accounts admin administrator api app assets auth billing blog callback cdn cell clerk contact
    control dashboard dev docs email false ftp graphql health help hostmaster imap info information_schema internal
    invitations localhost login logout mail me media new news noreply null oauth operator owner ping postmaster prod
    public register root security settings shop signin signup smtp socialflow sso staging static status stripe
    superuser support system team tenant tenants test true undefined user users webhooks webmaster workspace www
    """.split()  # noqa: SIM905 - ninety lines of one word each are no easier to read
)
_SHAPES = re.compile(r"(pg|sf|socialflow|deleted)_.*|.*_rw")


def reserved(slug: str) -> bool:
    """Tell whether a slug is one that nobody gets."""
    return slug in RESERVED or _SHAPES.fullmatch(slug) is not None
