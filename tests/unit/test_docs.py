"""The parts of the docs that the code writes are as the code has them."""

import pytest

from infra_cdk import docs


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_page_says_what_the_code_says(name: str) -> None:
    page = (docs.ROOT / "docs" / name).read_text("utf-8")
    assert docs.renewed(page, name) == page, "run `make docs`"
