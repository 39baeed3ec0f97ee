"""Validation: a candidate must prove itself on examples that no model learned from."""
