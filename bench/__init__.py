"""Speed and cost, measured: `python -m bench`, or one of its parts. Tables to stdout, JSON to a file."""
