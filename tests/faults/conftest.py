"""Fixtures that this folder's tests share."""

from tests.workers.fleet import fleet as fleet
