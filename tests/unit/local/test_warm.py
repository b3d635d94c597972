"""The first calls reach functions that exist, and make nothing."""

import re

from infra_cdk.local.state import ROOT
from infra_cdk.local.warm import NOBODY, TENANT, first_calls
from infra_cdk.stages import LIVE


def test_each_call_is_a_function_of_the_product_or_a_read() -> None:
    for name, event in first_calls():
        folder = f"api_{name.removeprefix('/')}" if event is None else name.removesuffix(f":{LIVE}")
        assert (ROOT / "functions" / folder / "handler.py").is_file()


def test_a_post_is_never_a_tenants_own() -> None:
    assert not re.fullmatch(r"[a-z][a-z0-9_]{1,38}", NOBODY)
    tenants = {name: event["tenant"] for name, event in first_calls() if event and "tenant" in event}
    posts = {"task_open_post", "task_prepare_target", "task_publish_target", "task_settle_post"}
    assert {name for name, tenant in tenants.items() if tenant == NOBODY} == posts
    assert {tenant for name, tenant in tenants.items() if name not in posts} == {TENANT}
