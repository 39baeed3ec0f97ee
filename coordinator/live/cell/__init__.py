"""The cell stage: the state table, the hold reasons, the permits of one cell."""
