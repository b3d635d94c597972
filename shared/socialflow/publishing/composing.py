"""What is found of a post while it is written, before it is kept: the same that scheduling would refuse, and more.

Nothing is refused here: what cannot be judged is a finding like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID

from socialflow.errors import FieldError
from socialflow.limits import ALIASES, NETWORKS, Cost, canonical
from socialflow.limits.links import links
from socialflow.publishing import planning
from socialflow.publishing.content import Content, Destination, Piece, Rendering, Reply, Variant
from socialflow.publishing.findings import Finding, error, warning
from socialflow.publishing.networks import fit
from socialflow.publishing.networks.limits import Limits, limits
from socialflow.publishing.planning import Known, MediaPlace, Wanted, WantedReply, Written
from socialflow.publishing.quotas import Day

_NOWHERE = UUID(int=0)
"""The account of a network that none is connected to."""


@dataclass(frozen=True)
class Draft:
    """What somebody is writing, for which accounts and for which networks; none named: for all that are known."""

    written: Written
    accounts: tuple[UUID, ...] = ()
    networks: tuple[str, ...] = ()
    days: Mapping[UUID, Day] = field(default_factory=dict)
    """What the accounts will have had of their 24 hours when the post is due, of which that is known."""
    wrong: tuple[FieldError, ...] = ()
    """Why it cannot be due then."""


@dataclass(frozen=True)
class Billed:
    """What a network bills for the post, in decimals of a currency."""

    amount: str
    currency: str


@dataclass(frozen=True)
class Checked:
    """What is found at one destination; the account is None where the network was named."""

    network: str
    account_id: UUID | None
    findings: tuple[Finding, ...]
    unit: str
    counted: int
    most: int
    cost: Billed | None
    as_of: str
    source: str


@dataclass(frozen=True)
class Report:
    """What is found of the post itself, and at each of its destinations."""

    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...]

    @property
    def fits(self) -> bool:
        """Whether nothing would be refused anywhere."""
        found = [*self.findings, *(one for checked in self.checked for one in checked.findings)]
        return all(one.severity != "error" for one in found)


def check(draft: Draft, known: Known) -> Report:
    """Hold what is written against everything that its destinations take."""
    written = draft.written
    general = [found for place in written.places() for found in _of_media(place, known)]
    general += [
        _unknown(f"/variants/{name.replace('~', '~0').replace('/', '~1')}", name)
        for name in written.variants
        if canonical(name) not in NETWORKS
    ]
    general += [
        error(one.pointer, one.code, "It is no connected account, or named twice.", planning.NAME_ACCOUNTS)
        for one in planning.unknown_accounts(draft.accounts, known)
    ]
    general += [_finding(one, "") for one in draft.wrong]
    general += [
        _unknown(f"/networks/{index}", name)
        for index, name in enumerate(draft.networks)
        if canonical(name) not in NETWORKS
    ]
    content = _content(written, known)
    checked = tuple(_at(content, *place, known, draft.days) for place in _places(draft, known))
    return Report(tuple(general), checked)


def _places(draft: Draft, known: Known) -> list[tuple[str, UUID | None]]:
    """Return networks and accounts to look at, each once."""
    accounts = [account for account in dict.fromkeys(draft.accounts) if account in known.destinations]
    places: list[tuple[str, UUID | None]] = [(known.destinations[account].network, account) for account in accounts]
    named = draft.networks if draft.accounts or draft.networks else NETWORKS
    places += [(network, None) for network in dict.fromkeys(map(canonical, named)) if network in NETWORKS]
    return places


def _at(content: Content, network: str, account_id: UUID | None, known: Known, days: Mapping[UUID, Day]) -> Checked:
    place = known.destinations[account_id] if account_id else Destination(_NOWHERE, network, "", "")
    parts = [
        content.rendered_for(network, place.account_id, "", position)
        for position in range(1 + len(content.replies_on(network)))
    ]
    rendering, room = parts[0], limits(network, place.capabilities)
    found = [
        finding
        for part in parts
        for finding in fit.findings(
            part,
            place.capabilities,
            known.library,
            fit.Places.of(content, network, part.position),
            route=place.route,
        )
    ]
    day = days.get(account_id) if account_id else None
    if day is not None and day.posts >= day.told.most:
        found.append(_full(network, day))
    if account_id is not None and account_id in known.lapsed:
        words = f"{network} lets the account in no more. {known.lapsed[account_id]}".strip()
        found.append(warning("/targets", "account-lapsed", words, "Connect it again before the post is due."))
    return Checked(
        network=network,
        account_id=account_id,
        findings=tuple(found),
        unit=room.texts.counted,
        counted=fit.counted(rendering, room),
        most=room.texts.max_characters,
        cost=_cost(parts, room),
        as_of=room.as_of,
        source=room.source,
    )


def _full(network: str, day: Day) -> Finding:
    """Return that an account will have had its posts: it may be otherwise by then, so that nothing is refused."""
    words = f"{network} takes {day.told.most} posts of an account in 24 hours, and there will have been {day.posts}."
    advice = "Choose a later time: then it would be refused."
    found = warning("/publish_at", "quota-used-up", words, advice, (day.told.most, day.posts))
    return replace(found, as_of=day.told.at.date().isoformat(), source=f"{network} itself, of this account")


def _cost(parts: Sequence[Rendering], room: Limits) -> Billed | None:
    """Return what the post costs with its replies, each of which is billed as one."""
    cost: Cost | None = room.posts.cost
    if cost is None:
        return None
    each = [Decimal(cost.with_link if any(links(part.text)) else cost.post) for part in parts]
    return Billed(str(sum(each)), cost.currency)


def _of_media(place: MediaPlace, known: Known) -> list[Finding]:
    wrong, unread = planning.faults(place.media, known, place.pointer)
    found = [_finding(one, "Choose another, or have it approved first.") for one in wrong]
    found += [
        _finding(one, "Choose another, or leave it out.")
        for one in planning.miscut(place.media, known, place.pointer, place.network)
    ]
    return found + [_finding(one, "Try again in a minute.") for one in unread]


def _content(written: Written, known: Known) -> Content:
    """Return what would go out if everything that is there were approved."""
    variants: Mapping[str, Variant] = {
        canonical(name): Variant(
            variant.text,
            None if variant.media is None else _pieces(variant.media, known),
            variant.options,
            None if variant.replies is None else _replies(variant.replies, known),
        )
        for name, variant in written.variants.items()
    }
    return Content(written.text, _pieces(written.media, known), variants, _replies(written.replies, known))


def _replies(replies: Sequence[WantedReply], known: Known) -> tuple[Reply, ...]:
    return tuple(Reply(reply.text, _pieces(reply.media, known)) for reply in replies)


def _pieces(media: Sequence[Wanted], known: Known) -> tuple[Piece, ...]:
    library = known.library
    return tuple(Piece(one.id, planning.sha256_of(one, library), planning.alt_text_of(one, library)) for one in media)


def _finding(fault: FieldError, advice: str) -> Finding:
    return error(fault.pointer, fault.code, fault.detail, advice)


def _unknown(pointer: str, name: str) -> Finding:
    words = f"Nothing is known of {name!r}."
    return error(pointer, "unknown-network", words, f"Choose of {', '.join((*NETWORKS, *ALIASES))}.")
