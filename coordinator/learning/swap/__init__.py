"""Swap: a proven model begins to serve, without a gap, and can be taken back."""
