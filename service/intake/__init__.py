"""How a stranger's picture becomes ours: judged by its first bytes, decoded in a limited process, redrawn."""
