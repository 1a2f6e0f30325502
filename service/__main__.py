"""`python -m service`: the gateway on the configured address."""

from __future__ import annotations

from runtime.logs import configure
from runtime.settings import Settings
from service.server import build_server

if __name__ == "__main__":
    settings = Settings()
    configure(settings, "gateway")
    build_server(settings).run()
