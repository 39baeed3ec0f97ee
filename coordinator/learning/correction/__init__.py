"""Correction: what a person said -> an example with its provenance."""
