"""Toyland: a small FLUX of a made-up world, shipped with its SAM-2. Data, and the profile that describes
it."""
