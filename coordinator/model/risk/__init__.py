"""The gate's mathematics: what may be promised from audited cases; pure numbers.

No model, no clock, no store: numbers in, numbers out. Read binomial, spending, ltt
(what is certified), then betting (what takes it back) and estimate (what is reported).
docs/gate.md explains all of it.
"""
