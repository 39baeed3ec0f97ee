"""Insight works in shifts and only reads: recordings, backtests, explanations."""
