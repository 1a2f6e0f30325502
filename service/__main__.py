"""`python -m service`: the gateway on the configured address."""

from __future__ import annotations

from runtime.settings import Settings
from service.processes import serve, serve_by_several

if __name__ == "__main__":
    settings = Settings()
    if settings.gateway_processes > 1:
        serve_by_several(settings)
    else:
        serve(settings)
