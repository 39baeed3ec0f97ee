"""Training: examples -> a candidate, somewhere that cannot starve the live loop."""
