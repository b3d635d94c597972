"""A webhook's message is taken once, with its effect or not at all."""

import threading

import psycopg
import pytest

from functions.cron_purge_tenants.handler import handler as purge
from infra_cdk.local.postgres import APP, Cluster
from socialflow.platform.database import control
from socialflow.platform.receipts import take_once
from tests.integration.identity.test_service import wait_for_lock

pytestmark = pytest.mark.usefixtures("clean")


class Broken(Exception):
    """What goes wrong after the message is taken."""


def take_and_fail(message: str) -> None:
    with control() as connection:
        assert take_once(connection, "clerk", message)
        raise Broken


def test_a_message_is_taken_once_and_each_sender_numbers_its_own() -> None:
    with control() as connection:
        assert take_once(connection, "clerk", "msg_1")
        assert not take_once(connection, "clerk", "msg_1")
        assert take_once(connection, "stripe", "msg_1")
    with control() as connection:
        assert not take_once(connection, "clerk", "msg_1")


def test_a_message_whose_effect_failed_may_come_again() -> None:
    with pytest.raises(Broken):
        take_and_fail("msg_2")
    with control() as connection:
        assert take_once(connection, "clerk", "msg_2")


@pytest.mark.parametrize(("committed", "taken"), [(True, False), (False, True)])
def test_of_two_at_once_the_second_waits_for_what_becomes_of_the_first(
    cluster: Cluster, committed: bool, taken: bool
) -> None:
    found: list[bool] = []
    with psycopg.connect(cluster.dsn(APP)) as first, psycopg.connect(cluster.dsn(APP)) as second:
        assert take_once(first, "clerk", "msg_3")
        thread = threading.Thread(target=lambda: found.append(take_once(second, "clerk", "msg_3")))
        thread.start()
        wait_for_lock(cluster, second.info.backend_pid)
        assert found == []
        first.commit() if committed else first.rollback()
        thread.join(timeout=10)
    assert found == [taken]


def test_a_receipt_is_kept_for_longer_than_anybody_repeats_and_then_goes(owner: psycopg.Connection) -> None:
    age = "INSERT INTO control.webhook_receipts VALUES (%s, %s, now() - %s * interval '1 hour')"
    for source, message, hours in (("clerk", "old", 721), ("stripe", "old", 721), ("clerk", "kept", 719)):
        owner.execute(age, (source, message, hours))
    assert purge({}, None) == {"purged": [], "failed": []}
    assert owner.execute("SELECT source, id FROM control.webhook_receipts").fetchall() == [("clerk", "kept")]
