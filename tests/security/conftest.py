"""Fixtures that this folder's tests share: those of the gateway's."""

from tests.service.conftest import address as address
from tests.service.conftest import admin_address as admin_address
from tests.service.conftest import artifacts as artifacts
from tests.service.conftest import client as client
from tests.service.conftest import client_of as client_of
from tests.service.conftest import finish as finish
from tests.service.conftest import settings as settings
from tests.service.conftest import store as store
from tests.service.conftest import worker as worker
