"""What a snapshot of a sandbox may keep: SnapStart begins many sandboxes from the memory of one.

Before the snapshot is taken what is the same in each is made; after it, each drops what none may share with another.
Elsewhere than on SnapStart nobody calls either.
"""

import os
import random
import ssl
from collections.abc import Callable

import boto3
import uuid_utils
from snapshot_restore_py import register_after_restore, register_before_snapshot

from socialflow.platform import aws, database, secrets, settings

_SEED_BYTES = 32


def prepare(*, before: Callable[[], None], after: Callable[[], None]) -> None:
    """Have `before` called before the snapshot is taken; after each restore all that is ours is renewed, then `after`.

    A hook that raises ends the snapshot, or the sandbox, before anything has been asked of it.
    """
    register_before_snapshot(before)
    register_after_restore(renew)
    register_after_restore(after)


def renew() -> None:
    """Make ids of one's own, and drop connections, clients, and whatever was kept for a while by a clock that stood."""
    uuid_utils.reseed_rng()
    random.seed()
    ssl.RAND_add(os.urandom(_SEED_BYTES), float(_SEED_BYTES))
    database.forget()
    secrets.forget_all()
    aws.forget()
    boto3.DEFAULT_SESSION = None  # it holds the credentials of whoever took the snapshot
    settings.forget()
