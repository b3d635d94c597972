"""A post that is not out yet is changed here: its content, its targets, its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from socialflow.platform.database import Transaction
from socialflow.publishing import planning, queueing, repository, slots
from socialflow.publishing.asking import Asked, locked, schedule
from socialflow.publishing.content import Content, Destination
from socialflow.publishing.events import PostRescheduled, PostScheduled
from socialflow.publishing.model import Post, Target, editable
from socialflow.publishing.planning import Known, Wanted, WantedReply, WantedVariant, Written
from socialflow.publishing.refusals import PostNotEditable
from socialflow.publishing.service import Detail, Place, approval_required, get, new_targets
from socialflow.publishing.timing import Due, Wish


@dataclass(frozen=True)
class Changes:
    """What a person wants changed of the `version` they read; None: as it is. `unschedule` takes the time away."""

    version: int | None
    text: str | None = None
    media: tuple[Wanted, ...] | None = None
    variants: Mapping[str, WantedVariant] | None = None
    replies: tuple[WantedReply, ...] | None = None
    accounts: tuple[UUID, ...] | None = None
    due: Wish | None = None
    unschedule: bool = False

    def media_ids(self) -> frozenset[UUID]:
        """Return the ids of all media named."""
        return Written(media=self.media or (), variants=self.variants or {}, replies=self.replies or ()).media_ids()


def edit(tx: Transaction, post_id: UUID, changes: Changes, known: Known, asked: Asked) -> Detail:
    """Change a post. Any other content or target voids its approval; any change voids the preparation."""
    post = locked(tx, post_id, changes.version)
    present = repository.targets(tx, [post_id])
    if not editable(post, present):
        raise PostNotEditable(
            f"The post is {post.state}: what is out, on its way or undecided cannot be changed.", state=post.state
        )
    content = _rewritten(post.content, changes, known)
    due = queueing.settled(tx, changes.due, _goes_to(present, changes, known), at=asked.at)
    changed = _rescheduled(replace(post, content=content, version=post.version + 1), due, changes)
    targets = _retargeted(tx, changed, present, changes, known)
    content_hash = content.hash(target.rendering(content) for target in targets)
    # The policy is that of the moment in which the post got its time.
    required = post.approval_required if post.due_at else approval_required(tx)
    changed = _with_state(_unless_approved(changed, content_hash, required=required))
    if changed.due_at is not None:
        _check(changed, targets, known, asked, kept_time=changes.due is None)
    _write(tx, changed, present, targets)
    repository.note_version(tx, changed, asked.by)
    _tell(tx, post, changed, asked)
    return get(tx, post_id)


def _retargeted(tx: Transaction, post: Post, present: Sequence[Target], changes: Changes, known: Known) -> list[Target]:
    """Return the targets that the post is to have, the present ones first."""
    places: Sequence[Place] = [target for target in present if not target.position]
    if changes.accounts is not None:
        places = planning.destinations(changes.accounts, known)
    required = approval_required(tx)
    wanted = [
        target
        for place in places
        for target in new_targets(post.id, place, post.content, post.due_at, required=required)
    ]
    there = {(target.account_id, target.position) for target in wanted}
    kept = {(one.account_id, one.position): one for one in present if (one.account_id, one.position) in there}
    if any(target.attempt for target in present if target not in kept.values()):
        raise PostNotEditable("A target that was attempted stays with the post. Cancel the post instead.")
    new = [target for target in wanted if (target.account_id, target.position) not in kept]
    return [*kept.values(), *new]


def _check(post: Post, targets: Sequence[Target], known: Known, asked: Asked, *, kept_time: bool) -> None:
    if kept_time and post.due_at is not None and post.due_at <= asked.at:
        raise PostNotEditable("The post's time has passed. Give it another with publish_at.", state=post.state)
    planning.check_media(post.content, known)
    pairs = [(target.rendering(post.content), _place(target, known)) for target in targets]
    planning.check_fit(post.content, pairs, known)


def _write(tx: Transaction, post: Post, present: Sequence[Target], targets: Sequence[Target]) -> None:
    repository.save(tx, post)
    repository.save_media(tx, post)
    repository.drop_targets(tx, post.id, [target.id for target in targets])
    known = {target.id for target in present}
    # The post was approved as a whole: a target whose own part is unchanged has no approval left of its own.
    approved = post.approval_required and post.approved
    for target in targets:
        if target.id not in known:
            repository.insert_target(tx, target)
        content_hash = target.rendering(post.content).hash
        planned = replace(
            target,
            content_hash=content_hash,
            approved_hash=content_hash if approved else None,
            approval_required=post.approval_required,
            due_at=post.due_at,
        )
        repository.plan(tx, planned)


def _tell(tx: Transaction, before: Post, post: Post, asked: Asked) -> None:
    if post.due_at is None:
        return
    schedule(tx, post.id, post.due_at, asked)
    if before.due_at is None:
        tx.emit(PostScheduled(subject_id=post.id, due_at=post.due_at, approval_required=post.approval_required))
    elif post.due_at != before.due_at:
        tx.emit(PostRescheduled(subject_id=post.id, due_at=post.due_at))


def _rewritten(content: Content, changes: Changes, known: Known) -> Content:
    return Content(
        text=content.text if changes.text is None else changes.text,
        media=content.media if changes.media is None else planning.pin(changes.media, known, "/media"),
        variants=content.variants if changes.variants is None else planning.pin_variants(changes.variants, known),
        replies=content.replies if changes.replies is None else planning.pin_replies(changes.replies, known),
    )


def _goes_to(present: Sequence[Target], changes: Changes, known: Known) -> list[slots.Place]:
    goes: Sequence[Place] = [target for target in present if not target.position]
    if changes.accounts is not None:
        goes = planning.destinations(changes.accounts, known)
    return [(one.account_id, one.network) for one in goes]


def _rescheduled(post: Post, due: Due | None, changes: Changes) -> Post:
    if changes.unschedule:
        return replace(post, due_at=None, due_local=None, due_zone=None, slot=None)
    if due is None:
        return post
    return replace(post, due_at=due.at, due_local=due.local, due_zone=due.zone, slot=due.slot)


def _unless_approved(post: Post, content_hash: bytes, *, required: bool) -> Post:
    """Give the post its new hash; an approval holds only for the content that it was given for."""
    changed = replace(post, content_hash=content_hash, approval_required=required, reason=None)
    if post.approved_hash == content_hash:
        return changed
    return replace(changed, approved_hash=None, approved_by=None, approved_at=None)


def _with_state(post: Post) -> Post:
    if post.due_at is None:
        return replace(post, state="draft")
    return replace(post, state="scheduled" if post.approved else "awaiting_approval")


def _place(target: Target, known: Known) -> Destination:
    place = known.destinations.get(target.account_id)
    if place is None:
        raise PostNotEditable("One of its accounts is not connected any more: connect it again, or cancel the post.")
    return place
