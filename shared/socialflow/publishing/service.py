"""Posts are made, read and changed here.

Each change takes the post's lock first, then its targets', then the work row's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from socialflow.entitlements import service as entitlements
from socialflow.errors import FieldError, Invalid
from socialflow.platform.database import Transaction
from socialflow.platform.ids import new_id
from socialflow.publishing import listing, planning, queueing, repository
from socialflow.publishing.asking import Asked, schedule, unknown
from socialflow.publishing.content import Content, Destination
from socialflow.publishing.events import PostScheduled
from socialflow.publishing.listing import Sought
from socialflow.publishing.model import Attempt, Post, PostState, Target
from socialflow.publishing.planning import Known, Written
from socialflow.publishing.refusals import PostExists
from socialflow.publishing.timing import Wish


class Place(Protocol):
    """An account that a target is at."""

    @property
    def account_id(self) -> UUID:
        """Its id."""

    @property
    def network(self) -> str:
        """Its network."""

    @property
    def remote_account(self) -> str:
        """Its id there."""


@dataclass(frozen=True)
class Order:
    """What a person wants made. `due` None: a draft. `sha256` is of the request, to know it again."""

    id: UUID | None
    written: Written
    accounts: tuple[UUID, ...]
    due: Wish | None
    sha256: bytes


@dataclass(frozen=True)
class Detail:
    """A post with its targets and the attempts at them."""

    post: Post
    targets: Sequence[Target]
    attempts: Sequence[Attempt] = ()


def create(tx: Transaction, order: Order, known: Known, asked: Asked) -> tuple[Detail, bool]:
    """Make a post; return it and whether it is new: the same id with the same request is the same post."""
    if order.id is not None and repository.request_of(tx, order.id) is not None:
        return _same(tx, order.id, order), False
    post, targets = drawn_up(tx, order, known, asked)
    if not repository.insert(tx, post, order.sha256):  # somebody else was quicker with this id
        return _same(tx, post.id, order), False
    entitlements.take(tx, "posts", at=asked.at)
    set_out(tx, post, targets, asked)
    return get(tx, post.id), True


def drawn_up(tx: Transaction, order: Order, known: Known, asked: Asked) -> tuple[Post, list[Target]]:
    """Return the post that an order asks for, not yet written; everything that it can be refused for is refused here.

    Only the next free slot is asked of the database.
    """
    if order.id is not None and order.id.version != 7:
        detail = "An id of your own is a UUID of version 7."
        raise Invalid(detail, errors=[FieldError("/id", "uuid-version", detail)])
    content = planning.pinned(order.written, known)
    places = planning.destinations(order.accounts, known)
    post, targets = _made(tx, order, content, places, asked)
    if order.due is not None:
        by_account = {place.account_id: place for place in places}
        pairs = [(target.rendering(content), by_account[target.account_id]) for target in targets]
        planning.check_fit(content, pairs, known)
    return post, targets


def set_out(tx: Transaction, post: Post, targets: Sequence[Target], asked: Asked) -> None:
    """Send a post that was just written on its way, to all of its targets."""
    for target in targets:
        repository.insert_target(tx, target)
    if post.due_at is not None:
        schedule(tx, post.id, post.due_at, asked)
        tx.emit(PostScheduled(subject_id=post.id, due_at=post.due_at, approval_required=post.approval_required))


def _same(tx: Transaction, post_id: UUID, order: Order) -> Detail:
    """Return the post that has the id, if the same request made it; else raise `PostExists`."""
    if repository.request_of(tx, post_id) != order.sha256:
        raise PostExists("The id belongs to another post. Choose a new one.", post_id=str(post_id))
    return get(tx, post_id)


def _made(
    tx: Transaction, order: Order, content: Content, places: Sequence[Destination], asked: Asked
) -> tuple[Post, list[Target]]:
    required = approval_required(tx)
    post_id = order.id or new_id()
    due = queueing.settled(tx, order.due, [(place.account_id, place.network) for place in places], at=asked.at)
    due_at = due.at if due else None
    targets = [one for place in places for one in new_targets(post_id, place, content, due_at, required=required)]
    planned: PostState = "awaiting_approval" if required else "scheduled"
    post = Post(
        id=post_id,
        version=1,
        state=planned if due_at else "draft",
        content=content,
        content_hash=content.hash(target.rendering(content) for target in targets),
        due_at=due_at,
        due_local=due.local if due else None,
        due_zone=due.zone if due else None,
        approval_required=required,
        approved_hash=None,
        approved_by=None,
        approved_at=None,
        reason=None,
        created_by=asked.by,
        created_at=asked.at,
        updated_at=asked.at,
        slot=due.slot if due else None,
    )
    return post, targets


def new_targets(
    post_id: UUID, place: Place, content: Content, due_at: datetime | None, *, required: bool
) -> list[Target]:
    """Return the targets that a post has at one account, at the start of their way: itself, then its replies."""
    parts = [
        content.rendered_for(place.network, place.account_id, place.remote_account, position)
        for position in range(1 + len(content.replies_on(place.network)))
    ]
    return [
        Target(
            id=new_id(),
            post_id=post_id,
            account_id=place.account_id,
            network=place.network,
            remote_account=place.remote_account,
            state="scheduled",
            run=0,
            due_at=due_at,
            hold=False,
            content_hash=part.hash,
            approval_required=required,
            approved_hash=None,
            prepared_hash=None,
            prepared=None,
            tries=0,
            next_at=None,
            attempt=0,
            lease=None,
            request=None,
            remote_id=None,
            remote_url=None,
            published_at=None,
            error_code=None,
            error_detail=None,
            position=part.position,
        )
        for part in parts
    ]


def get(tx: Transaction, post_id: UUID) -> Detail:
    """Return a post with its targets and attempts; raises `UnknownPost`."""
    post = repository.find(tx, post_id)
    if post is None:
        raise unknown()
    return Detail(post, repository.targets(tx, [post_id]), repository.attempts(tx, post_id))


def page(tx: Transaction, sought: Sought, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Detail]:
    """Return posts as they are sought with their targets, the newest first."""
    return with_targets(tx, listing.page(tx, sought, before=before, limit=limit))


def with_targets(tx: Transaction, posts: Sequence[Post]) -> list[Detail]:
    """Return posts with their targets, without the single attempts."""
    by_post: dict[UUID, list[Target]] = {post.id: [] for post in posts}
    for target in repository.targets(tx, list(by_post)):
        by_post[target.post_id].append(target)
    return [Detail(post, by_post[post.id]) for post in posts]


def approval_required(tx: Transaction) -> bool:
    """Tell whether the tenant's policy asks for an approval; it is fixed for a post when it gets its time."""
    return bool(tx.tenant.settings.get("approval") == "required")
