"""A worker's process: one supervisor with its engine."""

from __future__ import annotations

import structlog

from runtime import logs, telemetry
from runtime.settings import Settings
from workers.shutdown import Shutdown
from workers.supervisor import EngineKeepsDying, Supervisor


def main() -> int:
    """Serve until SIGTERM; the exit code, 1 when its engine kept dying."""
    settings, shutdown = Settings(), Shutdown()
    logs.configure(settings, "worker")
    telemetry.configure(settings, "worker")
    shutdown.listen()
    try:
        Supervisor(settings, shutdown).serve()
    except EngineKeepsDying as reason:
        structlog.get_logger().error("worker down", reason=str(reason))
        return 1
    finally:
        shutdown.ignore()
        telemetry.flush()
    return 0
