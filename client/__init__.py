"""The Python client, blocking and async, and the `addit` command: knows the API, not what is behind it."""
