"""A studio whose stage has a model for vectors, as scripted."""

from tests.integration.media.conftest import admin, answers, shelf, studio

__all__ = ["admin", "answers", "shelf", "studio"]
