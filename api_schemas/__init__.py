"""The wire: what clients, gateway and workers say to each other. Pydantic models only; no I/O."""
