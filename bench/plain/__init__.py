"""The same schedule without the engine's savings: what its speed is measured against."""
