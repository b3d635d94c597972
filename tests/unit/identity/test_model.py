"""Roles and permissions: the table of the product's description, with review:decide and posts:approve."""

import pytest

from socialflow.errors import Invalid
from socialflow.identity.model import PERMISSIONS, ROLES, checked_name, permissions_of

READS = {"media:read", "publishing:read", "team:read"}
TABLE = {
    "viewer": READS,
    "editor": READS | {"media:write", "publishing:write", "ai:use", "review:decide"},
    "admin": READS
    | {"media:write", "media:delete", "publishing:write", "publishing:delete", "ai:use", "review:decide"}
    | {"posts:approve", "team:invite", "settings:read", "settings:manage"},
    "owner": set(PERMISSIONS),
}


@pytest.mark.parametrize("role", sorted(TABLE))
def test_a_role_has_its_permissions_and_no_others(role: str) -> None:
    assert permissions_of(role) == TABLE[role]


def test_every_role_is_in_the_table() -> None:
    assert TABLE.keys() == ROLES


@pytest.mark.parametrize("role", ["", "OWNER", "superuser"])
def test_an_unknown_role_may_do_nothing(role: str) -> None:
    assert permissions_of(role) == frozenset()


@pytest.mark.parametrize("name", ["Zoë", "李小龙", "👩‍👩‍👧 Family"[:1], "  trimmed  "])
def test_names_of_any_script_are_taken_trimmed(name: str) -> None:
    assert checked_name(name) == name.strip()


@pytest.mark.parametrize("name", ["", " \t ", "a\nb", "a\x00b", "\u202eevil", "x" * 201])
def test_an_unprintable_empty_or_endless_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        checked_name(name)
    assert [(error.pointer, error.code) for error in refusal.value.errors] == [("/name", "name-invalid")]
