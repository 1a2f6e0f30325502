"""The report of `addit verify`: does this machine serve this model, how fast, and what to do where not."""
