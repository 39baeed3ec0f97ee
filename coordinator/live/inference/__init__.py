"""Inference: one thread that owns torch, and answers in batches."""
