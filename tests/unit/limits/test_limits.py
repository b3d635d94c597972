"""The dated limits: every network has the same figures, and none that contradicts another."""

from dataclasses import asdict, fields
from datetime import date
from fractions import Fraction
from importlib.resources import files

import pytest

from socialflow import limits
from socialflow.limits import NETWORKS, Pictures, UnknownNetwork, Videos

MIB = 1024 * 1024


def test_every_network_has_one_file_and_every_file_a_network() -> None:
    found = {one.name for one in (files(limits) / "networks").iterdir()}
    assert found == {f"{network}.json" for network in NETWORKS}


@pytest.mark.parametrize("network", NETWORKS)
def test_limits_have_a_date_and_a_source(network: str) -> None:
    known = limits.document(network)
    assert known["network"] == network
    assert date.fromisoformat(known["as_of"]).year >= 2026
    assert "https://" in known["source"]
    assert set(known["pictures"]) == {field.name for field in fields(Pictures)}
    assert set(known["videos"]) == {field.name for field in fields(Videos)}


@pytest.mark.parametrize("network", NETWORKS)
def test_figures_are_figures_and_agree_with_each_other(network: str) -> None:
    pictures, videos = limits.pictures(network), limits.videos(network)
    for known in (asdict(pictures), asdict(videos)):
        for name, value in known.items():
            assert value is None or isinstance(value, tuple) or value >= 0, name
        low, high = known["min_ratio"], known["max_ratio"]
        assert (low is None) == (high is None)
        assert low is None or 0 < low < 1 < high
    assert "image/jpeg" in pictures.types, "what is cut here is a JPEG"
    assert "video/mp4" in videos.types, "what is transcoded here is an MP4"
    assert "h264" in videos.codecs
    assert 100_000 < pictures.max_bytes <= 20 * MIB
    assert list(pictures.widths) == sorted(pictures.widths)
    assert pictures.widths[-1] <= (pictures.max_width or pictures.widths[-1])
    assert videos.max_seconds is None or videos.min_seconds < videos.max_seconds
    assert (videos.max_short_side or 0) <= videos.max_side


def test_what_all_sources_say_of_instagram() -> None:
    known = limits.pictures("instagram")
    assert (known.min_ratio, known.max_ratio, known.max_width) == (Fraction(4, 5), Fraction(191, 100), 1440)


def test_an_older_name_is_the_network() -> None:
    assert (limits.known("twitter"), limits.known("x")) == ("x", "x")
    with pytest.raises(UnknownNetwork):
        limits.known("orkut")
