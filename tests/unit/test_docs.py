"""The parts of the docs that the code writes are as the code has them."""

import re

import pytest

from infra_cdk import docs


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_page_says_what_the_code_says(name: str) -> None:
    page = (docs.ROOT / "docs" / name).read_text("utf-8")
    assert docs.renewed(page, name) == page, "run `make docs`"


def test_each_test_that_the_docs_name_is_there() -> None:
    pages = "".join(page.read_text("utf-8") for page in (docs.ROOT / "docs").glob("*.md"))
    tests = "".join(path.read_text("utf-8") for path in (docs.ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", pages))
    assert len(named) > 20
    assert named <= set(re.findall(r"def (test_\w+)", tests))
