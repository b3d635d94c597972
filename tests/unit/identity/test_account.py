"""What the issuer says of a person, in which order ever, and what the person says."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from socialflow.errors import Invalid
from socialflow.identity.model import Account, Changes

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEFORE, AFTER = NOON - timedelta(seconds=1), NOON + timedelta(seconds=1)


def account(
    email: str = "old@x.test", name: str = "Old", *, chosen: bool = False, at: datetime | None = NOON
) -> Account:
    return Account(UUID(int=1), email, name, "", "", chosen, at, None)


def test_what_is_newer_is_taken_and_what_is_older_is_not() -> None:
    assert account().told("new@x.test", "New", AFTER) == ("new@x.test", "New")
    assert account().told("new@x.test", "New", NOON) == ("new@x.test", "New")
    assert account().told("new@x.test", "New", BEFORE) == ("old@x.test", "Old")
    assert account().told("new@x.test", "New", None) == ("old@x.test", "Old")
    assert account(at=None).told("new@x.test", "New", BEFORE) == ("new@x.test", "New")


def test_silence_erases_nothing() -> None:
    assert account().told("", "", AFTER) == ("old@x.test", "Old")


def test_a_gap_is_filled_by_what_is_old_too() -> None:
    assert account("", "").told("new@x.test", "New", BEFORE) == ("new@x.test", "New")
    assert account("", "").told("new@x.test", "New", None) == ("new@x.test", "New")


def test_a_name_that_the_person_chose_stays_and_the_address_is_the_issuers() -> None:
    assert account(chosen=True).told("new@x.test", "New", AFTER) == ("new@x.test", "Old")


@pytest.mark.parametrize("locale", ["de", "pt-BR", "zh-Hant-TW", "es-419", "gsw", ""])
def test_a_locale_is_kept(locale: str) -> None:
    assert Changes(locale=locale).checked().locale == locale


@pytest.mark.parametrize("locale", ["DE", "de_DE", "d", "german", "de-de", "de-DE-x", "../de", " de", "de\n"])
def test_what_is_no_locale_is_refused(locale: str) -> None:
    with pytest.raises(Invalid) as refused:
        Changes(locale=locale).checked()
    assert refused.value.errors[0].pointer == "/locale"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia", ""])
def test_a_zone_is_kept(zone: str) -> None:
    assert Changes(time_zone=zone).checked().time_zone == zone


@pytest.mark.parametrize("zone", ["Berlin", "Europe", "../UTC", "/etc/passwd", "Europe/Berlin ", "+02:00", "x" * 60])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        Changes(time_zone=zone).checked()
    assert refused.value.errors[0].pointer == "/time_zone"


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(Invalid):
        Changes().checked()
