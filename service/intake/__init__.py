"""How a stranger's picture becomes one of ours: judged by its first bytes, decoded in a limited process, drawn afresh."""
