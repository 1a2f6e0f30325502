"""One file per resource. A route reads its inputs, asks the store, and answers; judging is done elsewhere."""
