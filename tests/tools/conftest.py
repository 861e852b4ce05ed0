"""The repository of tests/tools/dvc_repository.py, as fixtures."""

from tests.tools.dvc_repository import finished, repository

__all__ = ["finished", "repository"]
