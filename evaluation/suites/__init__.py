"""What is asked of every method: fixed lists of items. Any folder with an `items.json` is a suite."""
