"""A gateway with a worker in name only, as the service's own tests have it."""

from __future__ import annotations

from tests.service.conftest import address as address
from tests.service.conftest import client as client
from tests.service.conftest import client_of as client_of
from tests.service.conftest import settings as settings
from tests.service.conftest import store as store
from tests.service.conftest import worker as worker
