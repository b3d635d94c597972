"""What fits a network, and what is found of what does not: the same for who writes and who schedules."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialflow.limits import NETWORKS, posts, texts
from socialflow.publishing import composing, planning
from socialflow.publishing.composing import Draft, Report
from socialflow.publishing.content import Cut, Destination, Library, MediaFile, Piece, Rendering, Verdict
from socialflow.publishing.networks import fit
from socialflow.publishing.networks.fit import Places
from socialflow.publishing.networks.limits import OWN
from socialflow.publishing.planning import Known, Wanted, WantedVariant, Written
from socialflow.publishing.refusals import DoesNotFit

ID = UUID("0199c0de-0000-7000-8000-000000000001")
IDS = [UUID(int=number) for number in range(1, 60)]
PLACE = Destination(ID, "mastodon", "https://example.social", "1")


def library(*kinds: str, content_type: str = "image/jpeg", size: int = 1000, **more: Any) -> Library:
    """Return approved media of some kinds."""
    files = {
        media_id: MediaFile(media_id, "aa", "k", "v", "video/mp4" if kind == "video" else content_type, size)
        for media_id, kind in zip(IDS, kinds, strict=False)
    }
    given_kinds: dict[UUID, Any] = dict(zip(IDS, kinds, strict=False))
    return Library(files, given_kinds, dict.fromkeys(files, "A harbour"), **more)


def rendered(text: str, media: tuple[Piece, ...] = (), network: str = "mastodon", **options: Any) -> Rendering:
    return Rendering(network, ID, "1", text, media, options)


def pieces(count: int, alt_text: str = "A harbour") -> tuple[Piece, ...]:
    return tuple(Piece(media_id, "aa", alt_text) for media_id in IDS[:count])


def wrong(rendering: Rendering, shelf: Library | None = None, **own: int) -> list[str]:
    found = fit.findings(rendering, own, shelf or Library(), Places())
    return [one.code for one in found if one.severity == "error"]


def warned(rendering: Rendering, shelf: Library | None = None) -> list[str]:
    found = fit.findings(rendering, {}, shelf or Library(), Places())
    return [one.code for one in found if one.severity == "warning"]


# The text


def test_every_link_counts_the_same() -> None:
    link = "https://example.com/" + "x" * 200
    assert wrong(rendered("y" * 476 + " " + link)) == []
    assert wrong(rendered("y" * 477 + " " + link)) == ["too-long"]
    assert wrong(rendered("y" * 476 + " " + link), characters_reserved_per_url=24) == ["too-long"]


def test_a_warning_counts_with_the_text() -> None:
    assert wrong(rendered("y" * 490, spoiler_text="z" * 10)) == []
    assert wrong(rendered("y" * 490, spoiler_text="z" * 11)) == ["too-long"]


def test_the_servers_own_figures_come_first() -> None:
    assert wrong(rendered("y" * 900), max_characters=1000) == []
    for figure in (0, -1, True):
        assert wrong(rendered("y" * 900), max_characters=figure) == ["too-long"], (
            "a figure that is none is not believed"
        )
    (found,) = fit.findings(rendered("y" * 11), {"max_characters": 10}, Library(), Places())
    assert (found.source, found.as_of, found.limit, found.found) == (OWN, None, 10, 11)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_text_of_just_the_length_is_taken_and_one_more_is_not(network: str) -> None:
    most, media = texts(network).max_characters, pieces(1)
    assert wrong(rendered("y" * most, media, network), library("image")) == []
    assert wrong(rendered("y" * (most + 1), media, network), library("image")) == ["too-long"]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_finding_has_figures_their_day_and_source(network: str) -> None:
    most = texts(network).max_characters
    found = fit.findings(rendered("y" * (most + 7), pieces(1), network), {}, library("image"), Places("/here"))
    (told,) = [one for one in found if one.code == "too-long"]
    assert (told.pointer, told.limit, told.found, told.advice) == ("/here", most, most + 7, "Shorten it by 7.")
    assert told.as_of
    assert "https://" in (told.source or "")


@pytest.mark.parametrize(
    ("network", "text", "codes"),
    [
        ("bluesky", "a" + "\u0301" * 1500, ["too-many-bytes"]),
        ("instagram", "#tag " * 31, ["too-many-hashtags"]),
        ("instagram", "#tag " * 30, []),
        ("instagram", "#1 " * 31, []),
        ("instagram", "@ada " * 21, ["too-many-mentions"]),
        ("instagram", "ada@example.org " * 21, []),
        ("threads", " ".join(f"a{number}.com" for number in range(6)), ["too-many-links"]),
        ("threads", "a.com " * 6, []),
        ("x", "日" * 141, ["too-long"]),
        ("x", "\ufeffpasted", ["invalid-characters"]),
        ("threads", "\ufeffpasted", []),
    ],
)
def test_what_a_network_counts_beside_the_length(network: str, text: str, codes: list[str]) -> None:
    assert wrong(rendered(text, pieces(1), network), library("image")) == codes


def test_linkedins_reserved_signs_may_cut_a_text_off() -> None:
    assert warned(rendered("*" * 1501, network="linkedin")) == ["escaped-too-long"]
    assert warned(rendered("*" * 1500, network="linkedin")) == []


@pytest.mark.parametrize("network", NETWORKS)
def test_a_post_of_nothing_is_refused_everywhere(network: str) -> None:
    assert wrong(rendered(" \n", network=network))[0] == "empty"


# Options


@pytest.mark.parametrize(
    "options",
    [{"visibility": "direct"}, {"sensitive": "yes"}, {"language": "English"}, {"spoiler_text": True}, {"poll": "x"}],
)
def test_an_option_that_is_none_is_refused(options: dict[str, Any]) -> None:
    assert len(wrong(rendered("x", **options))) == 1


def test_options_that_are_taken() -> None:
    assert wrong(rendered("x", visibility="private", sensitive=True, language="pt-BR", spoiler_text="Food")) == []


# Media


def test_media_are_counted_and_weighed() -> None:
    shelf = library(*["image"] * 5)
    assert wrong(rendered("", pieces(4)), shelf) == []
    assert wrong(rendered("", pieces(5)), shelf) == ["too-many"]
    assert wrong(rendered("", pieces(2)), shelf, max_media_attachments=1) == ["too-many"]
    heavy = library("image", content_type="image/tiff", size=99)
    assert wrong(rendered("", pieces(1)), heavy, image_size_limit=98) == ["type", "too-many-bytes"]
    assert wrong(rendered("", pieces(1, "x" * 1501)), shelf) == ["too-long"]
    assert wrong(rendered("", pieces(1)), library("video")) == []
    assert wrong(rendered("", pieces(1)), library("video", size=103_809_025)) == ["too-many-bytes"]
    assert wrong(rendered("", pieces(1)), library("video"), image_size_limit=98) == []


def test_a_rendition_is_held_against_bytes_and_type_alone() -> None:
    wide = {(IDS[0], "mastodon"): (Verdict("ratio", "It is too wide.", mendable=True),)}
    cut = Cut(IDS[0], "mastodon", MediaFile(IDS[0], "cc", "k", "v", "image/jpeg", 98))
    shelf = library("image", verdicts=wide, cuts={ID: cut})
    assert wrong(rendered("", pieces(1)), shelf) == ["ratio"]
    recut = (Piece(IDS[0], "cc", "A harbour"),)
    assert wrong(rendered("", recut), shelf) == []
    assert wrong(rendered("", recut), shelf, image_size_limit=97) == ["too-many-bytes"]
    assert wrong(rendered("", pieces(1)), shelf, image_size_limit=98) == ["too-many-bytes", "ratio"]


@pytest.mark.parametrize(
    ("network", "kinds", "codes"),
    [
        ("x", ["image"] * 4, []),
        ("x", ["image"] * 5, ["too-many"]),
        ("x", ["image", "video"], ["mixed-kinds"]),
        ("x", ["video", "video"], ["too-many-videos"]),
        ("instagram", ["image", "video"], []),
        ("instagram", [], ["needs-media"]),
        ("tiktok", [], ["needs-media"]),
        ("tiktok", ["image"] * 36, ["too-many"]),
        ("linkedin", [], []),
    ],
)
def test_how_many_and_which_kinds_go_together(network: str, kinds: list[str], codes: list[str]) -> None:
    assert wrong(rendered("Words", pieces(len(kinds)), network), library(*kinds)) == codes


def test_what_a_rendition_mends_asks_for_it() -> None:
    wide = {(IDS[0], "instagram"): (Verdict("ratio", "It is too wide.", mendable=True),)}
    short = {(IDS[0], "tiktok"): (Verdict("too-short", "It has one second.", mendable=False),)}
    shelf = library("image", verdicts=wide | short)
    (found,) = fit.findings(rendered("", pieces(1), "instagram"), {}, shelf, Places())
    assert (found.severity, found.code, found.pointer) == ("error", "ratio", "/media/0/id")
    assert f"/v1/media/{IDS[0]}/renditions" in found.advice
    assert wrong(rendered("", pieces(1), "tiktok"), shelf) == ["too-short"]


def test_what_goes_out_as_it_is_is_held_against_the_limits_as_it_is() -> None:
    heavy = {(IDS[0], "mastodon"): (Verdict("too-many-bytes", "It is heavy.", mendable=True),)}
    shelf = library("image", size=17_000_000, verdicts=heavy)
    assert wrong(rendered("", pieces(1)), shelf) == ["too-many-bytes"]
    assert warned(rendered("", pieces(1)), shelf) == []


@pytest.mark.parametrize("network", NETWORKS)
def test_a_missing_alt_text_is_told_where_there_is_one(network: str) -> None:
    told = ["no-alt-text"] if posts(network).max_alt_text != 0 else []
    assert warned(rendered("", pieces(1, " "), network), library("image")) == told


def test_what_goes_out_as_it_is_is_not_told_to_be_mended() -> None:
    large = {(IDS[0], "mastodon"): (Verdict("too-large", "It has many pixels.", mendable=True),)}
    (found,) = fit.findings(rendered("", pieces(1)), {}, library("image", verdicts=large), Places())
    assert (found.severity, found.code) == ("warning", "too-large")
    assert "renditions" not in found.advice


def test_what_no_network_mends_by_itself_asks_for_a_rendition() -> None:
    wide = {(IDS[0], "mastodon"): (Verdict("ratio", "It is too wide.", mendable=True),)}
    (found,) = fit.findings(rendered("", pieces(1)), {}, library("image", verdicts=wide), Places())
    assert (found.severity, found.code) == ("error", "ratio")
    assert f"POST /v1/media/{IDS[0]}/renditions" in found.advice
    assert "rendition_id under /variants/mastodon/media" in found.advice


def test_what_moves_is_told_to_go_out_still() -> None:
    assert warned(rendered("", pieces(1)), library("animation")) == ["still-only"]


# While it is written


def checked(draft: Draft, known: Known | None = None) -> Report:
    return composing.check(draft, known or Known())


def codes(report: Report) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in report.findings]


def test_without_a_destination_every_network_is_asked() -> None:
    report = checked(Draft(Written("Good evening")))
    assert [one.network for one in report.checked] == list(NETWORKS)
    assert [one.network for one in report.checked if any(each.severity == "error" for each in one.findings)] == [
        "instagram",
        "tiktok",
    ]
    assert not report.fits


def test_a_network_is_asked_once_by_whatever_name() -> None:
    report = checked(Draft(Written("Good evening"), networks=("twitter", "x", "orkut", "a/b~c")))
    assert [one.network for one in report.checked] == ["x"]
    assert codes(report) == [("/networks/2", "unknown-network"), ("/networks/3", "unknown-network")]


def test_an_account_is_asked_with_its_servers_figures() -> None:
    place = Destination(ID, "mastodon", "https://example.social", "1", {"max_characters": 10})
    draft = Draft(Written("y" * 11), accounts=(ID, ID, IDS[0]), networks=("mastodon",))
    report = checked(draft, Known(destinations={ID: place}))
    assert codes(report) == [("/targets/1/account_id", "repeated"), ("/targets/2/account_id", "unknown-account")]
    own, usual = report.checked
    assert (own.account_id, own.counted, own.most) == (ID, 11, 10)
    assert (usual.account_id, usual.most, usual.findings) == (None, 500, ())


@pytest.mark.parametrize(
    ("text", "amount"), [("Good evening", "0.015"), ("See example.com", "0.20"), ("See https://example.com/a", "0.20")]
)
def test_what_x_bills_is_told(text: str, amount: str) -> None:
    (report,) = checked(Draft(Written(text), networks=("x",))).checked
    assert report.cost is not None
    assert (report.cost.amount, report.cost.currency) == (amount, "USD")


def test_a_variant_is_held_against_its_network() -> None:
    written = Written("y" * 400, variants={"twitter": WantedVariant("Short"), "a/b~c": WantedVariant("?")})
    report = checked(Draft(written, networks=("x", "bluesky")))
    assert codes(report) == [("/variants/a~1b~0c", "unknown-network")]
    assert [one.counted for one in report.checked] == [5, 400]


def test_media_that_are_not_approved_are_told_and_looked_at_all_the_same() -> None:
    written = Written("", tuple(Wanted(media_id) for media_id in (IDS[0], IDS[0], IDS[1], IDS[2])))
    kinds: dict[UUID, Any] = {IDS[1]: "video"}
    shelf = Library({IDS[0]: MediaFile(IDS[0], "aa", "k", "v", "image/jpeg", 1)}, {IDS[0]: "image", **kinds})
    known = Known(shelf, {IDS[0]: "approved", IDS[1]: "in_review"}, unread=frozenset())
    report = checked(Draft(written, networks=("x",)), known)
    assert codes(report) == [
        ("/media/1/id", "repeated"),
        ("/media/2/id", "in_review"),
        ("/media/3/id", "unknown-media"),
    ]
    assert "mixed-kinds" in [one.code for one in report.checked[0].findings]


ANYTHING = st.text(max_size=400)
WANTED = st.builds(Wanted, st.sampled_from(IDS[:6]), st.none() | ANYTHING)
VARIANTS = st.dictionaries(
    st.sampled_from([*NETWORKS, "twitter"]) | st.text(max_size=40),
    st.builds(
        WantedVariant,
        st.none() | ANYTHING,
        st.none() | st.lists(WANTED, max_size=6).map(tuple),
        st.dictionaries(
            st.sampled_from(["visibility", "language", "sensitive", "~/"]) | ANYTHING, ANYTHING | st.booleans()
        ),
    ),
    max_size=4,
)
DRAFTS = st.builds(
    Draft,
    st.builds(Written, ANYTHING, st.lists(WANTED, max_size=8).map(tuple), VARIANTS),
    st.lists(st.sampled_from([ID, *IDS[:2]]), max_size=3).map(tuple),
    st.lists(st.sampled_from(NETWORKS) | st.text(max_size=40), max_size=4).map(tuple),
)


@given(DRAFTS)
def test_whatever_is_written_has_a_report(draft: Draft) -> None:
    states = dict.fromkeys(IDS[:3], "approved") | {IDS[3]: "in_review"}
    report = checked(draft, Known(library("image", "video", "animation"), states, {ID: PLACE}))
    for one in (*report.findings, *(each for place in report.checked for each in place.findings)):
        assert one.code
        assert one.detail
        assert one.advice
        assert one.pointer == "" or one.pointer.startswith("/")
    assert all(place.counted >= 0 for place in report.checked)


@given(ANYTHING, st.lists(st.sampled_from(IDS[:6]), max_size=6, unique=True), VARIANTS)
def test_scheduling_refuses_exactly_what_is_told_to_be_an_error(
    text: str, media: list[UUID], variants: dict[str, WantedVariant]
) -> None:
    variants = {name: one for name, one in variants.items() if name == "mastodon" and one.media is None}
    known = Known(library("image", "video", "image", "image", "image", "image"), destinations={ID: PLACE})
    written = Written(text, tuple(Wanted(media_id) for media_id in media), variants)
    (told,) = checked(Draft(written, accounts=(ID,)), known).checked
    errors = {(one.pointer, one.code) for one in told.findings if one.severity == "error"}
    content = planning.pinned(written, known)
    refused: set[tuple[str, str]] = set()
    try:
        planning.check_fit(content, [(content.rendered_for("mastodon", ID, "1"), PLACE)], known)
    except DoesNotFit as refusal:
        refused = {(one.pointer, one.code) for one in refusal.errors}
    assert refused == errors
