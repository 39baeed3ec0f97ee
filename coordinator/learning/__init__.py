"""Learning: correction -> training -> validation -> swap, in minutes.

Any failure keeps the serving model.
"""
