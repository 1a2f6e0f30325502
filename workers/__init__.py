"""Processes that do the work: GPU supervisor, resident engine, webhook sender, reconciler."""
