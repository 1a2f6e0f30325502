"""`python -m service`: the gateway on the configured address."""

from __future__ import annotations

from runtime import logs, telemetry
from runtime.settings import Settings
from service.server import build_server

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings, "gateway")
    telemetry.configure(settings, "gateway")
    build_server(settings).run()
