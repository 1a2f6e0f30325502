"""Tenants shared out over cells, each a store with its workers: an app for each cell, and a door to them."""
