"""Tokens of sixty days are renewed before they end, as they cannot be afterwards; a Page's does not end."""

from functions.cron_check_accounts.handler import handler as check_accounts
from tests.integration.publishing.graph.conftest import Studio

DAY = 86_400.0
REFRESH = "/refresh_access_token"


def looked_at(studio: Studio, *, days: float, times: int = 1) -> dict[str, object]:
    """Connect an account whose token ends so, and look at it; return what is shown of it."""
    account = studio.account(expires_in=days * DAY)
    for _ in range(times):
        studio.desk.let_look_be_due()
        assert check_accounts({}, None) == {"looked_at": 1, "failed": []}
    found: dict[str, object] = studio.desk.editor.get(f"/v1/accounts/{account}").json
    return found


def test_a_token_is_renewed_days_before_it_ends(studio: Studio) -> None:
    found = looked_at(studio, days=8, times=2)
    assert (found["state"], found["trouble"]) == ("connected", None)
    assert studio.server.wire.asked("GET", REFRESH) == (0 if studio.network == "facebook" else 1)
    assert (found["ends_at"] is None) == (studio.network == "facebook")


def test_a_token_that_has_long_to_live_is_left(studio: Studio) -> None:
    assert looked_at(studio, days=40)["state"] == "connected"
    assert studio.server.wire.asked("GET", REFRESH) == 0


def test_a_token_that_is_not_renewed_though_it_works_is_expiring(studio: Studio) -> None:
    if studio.network != "facebook":
        studio.server.wire.fail("GET", REFRESH, 401, times=2)
        found = looked_at(studio, days=8, times=2)
        assert (found["state"], found["trouble"]) == ("expiring", None)
