"""Stages, what may be set from outside, and the refusals of what may not."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra_cdk.stages import OVERRIDES, STAGES, stage
from tests.infra.conftest import ROOT

VALUES = {
    "log_level": ("debug", "DEBUG"),
    "cors_origins": ("http://a.test, http://b.test", ("http://a.test", "http://b.test")),
    "network_homes": ("x=http://127.0.0.1:1", ("x=http://127.0.0.1:1",)),
    "late_api_base": ("https://late.example/api", "https://late.example/api"),
    "egress_allowed_hosts": ("127.0.0.1:1,127.0.0.1:2", ("127.0.0.1:1", "127.0.0.1:2")),
    "oidc_issuer": ("https://issuer.test", "https://issuer.test"),
    "oidc_jwks_url": ("https://issuer.test/keys", "https://issuer.test/keys"),
    "oidc_audience": ("socialflow", "socialflow"),
    "oidc_authorized_parties": ("web", ("web",)),
    "presign_ttl": ("60", 60),
    "review_ttl": ("5", 5),
    "prepare_lead": ("2", 2),
    "horizon": ("600", 600),
    "requests_per_minute": ("300", 300),
    "mail_sender": ("us@mail.test", "us@mail.test"),
    "invitation_page": ("https://app.test/in", "https://app.test/in"),
    "caption_model": ("openai/x", "openai/x"),
    "caption_api_base": ("http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
    "captions_per_minute": ("30", 30),
    "stripe_prices": ("pro=price_1,business=price_2", ("pro=price_1", "business=price_2")),
    "stripe_api_base": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
}


@pytest.mark.parametrize("key", sorted(OVERRIDES))
def test_a_setting_given_from_outside_is_the_only_thing_that_changes(key: str) -> None:
    text, expected = VALUES[key]
    changed, plain = stage("local", {key: text}), stage("local")
    part, attribute, _ = OVERRIDES[key]
    assert getattr(getattr(changed, part) if part else changed, attribute) == expected
    others = {other: text for other, (text, _) in VALUES.items() if other != key}
    assert stage("local", others) != stage("local", {**others, key: text})
    assert changed != plain


def test_the_issuers_keys_are_below_it_unless_told_otherwise() -> None:
    assert stage("dev", {"oidc_issuer": "https://i.test/"}).identity.keys_url == "https://i.test/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("name", "settings", "complaint"),
    [
        ("production", {}, "choose one of local, dev, staging, prod"),
        ("local", {"review_tll": "5"}, "unknown setting 'review_tll'"),
        ("local", {"review_ttl": "a week"}, "is not a number"),
        ("prod", {"egress_allowed_hosts": "10.0.0.1:80"}, "local stage only"),
        ("prod", {"network_homes": "x=https://elsewhere.example"}, "local stage only"),
        ("prod", {"captions_per_minute": "0"}, "captions_per_minute=0 would let nobody have a caption: at least 1"),
        ("dev", {"captions_per_minute": "-20"}, "at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(name: str, settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        stage(name, settings)


def test_a_stage_at_which_no_caption_has_its_turn_is_none() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        replace(STAGES["local"].captioner, per_minute=0)


def test_only_prod_is_protected_and_only_local_is_local() -> None:
    assert {name for name, each in STAGES.items() if each.protected} == {"prod"}
    assert {name for name, each in STAGES.items() if each.is_local} == {"local"}


def _app(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SOCIALFLOW_", "CDK_"))}
    command = [sys.executable, "-m", "infra_cdk.app", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "environment", "complaint"),
    [
        (["-c", "stage=nowhere"], {}, "unknown stage 'nowhere'"),
        ([], {"SOCIALFLOW_STAGE": "elsewhere"}, "unknown stage 'elsewhere'"),
        (["-c", "stage=prod"], {"SOCIALFLOW_EGRESS_ALLOWED_HOSTS": "10.0.0.1:80"}, "local stage only"),
        (["-c", "horizon=soon"], {}, "horizon='soon' is not a number"),
        (["-c", "captions_per_minute=0"], {}, "captions_per_minute=0 would let nobody have a caption"),
        (["--stage", "prod"], {}, "say -c key=value"),
        ([], {"CDK_CONTEXT_JSON": '{"stage": "from-the-cli"}'}, "unknown stage 'from-the-cli'"),
    ],
)
def test_a_mistake_in_what_was_asked_for_is_one_sentence(
    arguments: list[str], environment: dict[str, str], complaint: str
) -> None:
    done = _app(*arguments, **environment)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_node_is_told_in_words(tmp_path: Path) -> None:
    code = (
        "import pathlib, infra_cdk.node as node;"
        f"node.INSTALLED = pathlib.Path({str(tmp_path)!r}, 'none');"
        "node.ROOT = node.INSTALLED.parent; raise SystemExit(node.main())"
    )
    empty = {"PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=empty, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Node.js 22 or newer is missing" in done.stderr
    assert "make node" in done.stderr
