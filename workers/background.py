"""`python -m workers.background`: reconciler, webhook sender and janitor together. Any number may run."""

from __future__ import annotations

from threading import Thread

from job_store.connection import connect
from runtime import logs, telemetry
from runtime.settings import Settings
from workers.janitor import Janitor
from workers.reconciler import Reconciler
from workers.shutdown import Shutdown
from workers.webhooks import WebhookSender


def main() -> None:
    """Work until SIGTERM."""
    settings, shutdown = Settings(), Shutdown()
    logs.configure(settings, "background")
    telemetry.configure(settings, "background")
    shutdown.listen()
    redis = connect(settings.redis_url)
    Thread(target=WebhookSender(settings, redis).send, args=(shutdown,), name="webhooks", daemon=True).start()
    Thread(target=Janitor(settings, redis).clean, args=(shutdown,), name="janitor", daemon=True).start()
    Reconciler(settings, redis).reconcile(shutdown)
    shutdown.ignore()
    telemetry.flush()


if __name__ == "__main__":
    main()
