"""Steady traffic on the real processes while they are killed, stopped and cut off at random from a seed."""
