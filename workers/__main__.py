"""`python -m workers`: one supervisor with its engine. Exit code 1 when its engine kept dying."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Not above: an engine, when it is spawned, runs this file before it is bound to die with its supervisor.
    from workers.worker import main

    sys.exit(main())
