"""The paper's benchmarks, its metrics and its rivals, to be run again by anyone: `python -m evaluation`.

Knows no queue and no server but through the client. Nothing at run time imports it.
"""
