"""Erlang's formula for M/M/c, which the simulation is held against. Pure."""

from __future__ import annotations


def waiting_share(servers: int, offered: float) -> float:
    """Erlang C: the share of arrivals that wait, at `offered` = arrival rate times service time, in erlangs.

    By the recursion of Erlang B, which no factorial overflows. Raises `ValueError` unless offered < servers.
    """
    if not 0 < offered < servers:
        raise ValueError(f"{offered} erlangs need more than {servers} servers")
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait(servers: int, rate: float, seconds: float) -> float:
    """Seconds that an arrival waits on average, at `rate` a second and a mean service of `seconds`."""
    offered = rate * seconds
    return waiting_share(servers, offered) * seconds / (servers - offered)
