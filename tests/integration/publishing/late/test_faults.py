"""Late under the faults of every network; also where it knows no request and no content again."""

import pytest

from tests.integration.publishing.faults import Faults
from tests.integration.publishing.late.conftest import Desked


class TestLate(Faults):
    """Nothing twice, nothing lost."""


class TestForgetfulLate(Faults):
    """Nothing twice, nothing lost, and Late is no help in it."""

    @pytest.fixture(autouse=True)
    def forgetful(self, ldesk: Desked) -> None:
        """Late knows neither requests by their id nor content by its hash."""
        ldesk.server.is_idempotent = False
