"""Fixtures of the scenarios."""

from tests.scenario.engines import engine

__all__ = ["engine"]
