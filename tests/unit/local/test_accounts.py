"""The demo accounts."""

import pytest

from infra_cdk.local.accounts import PEOPLE, TENANTS, UnknownPerson, person


def test_a_subject_is_the_same_on_every_machine() -> None:
    assert person("editor@acme.test").subject == "user_606a4a6f5f840cd871d75bd9"


def test_an_address_is_found_however_it_is_typed() -> None:
    assert person(" Editor@Acme.test ").role == "editor"


def test_an_unknown_person_is_told_who_exists() -> None:
    with pytest.raises(UnknownPerson, match=r"there is no 'nobody@acme\.test'.*owner@contoso\.test"):
        person("nobody@acme.test")


def test_every_tenant_has_an_owner_and_every_person_a_tenant() -> None:
    assert {each.tenant for each in PEOPLE if each.role == "owner"} == set(TENANTS)
    assert {each.tenant for each in PEOPLE} == set(TENANTS)
    assert len({each.subject for each in PEOPLE}) == len(PEOPLE)
