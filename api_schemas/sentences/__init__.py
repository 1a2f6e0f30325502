"""English sentences about pictures, by word lists alone: what is added, to what, and where. Pure; no I/O."""
