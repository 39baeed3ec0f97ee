"""The coordinator: carries each sensor window from arrival to decision, and learns.

The path, and where each step lives::

    live/        milliseconds, one window at a time; any failure becomes HOLD
        window -> inference -> gate -> cell -> request
    learning/    minutes, one batch of corrections; any failure keeps the serving model
        correction -> training -> validation -> swap
    insight/     shifts, read-only; any failure says so

Read in this order: terms (the nouns), live/path.py, learning/path.py, then the stage
you need. A stage is handed what it needs and never imports another stage; only the two
path.py modules know the order. pyproject.toml holds the import contracts that keep it
so. app.py builds every object and owns every task; service/ translates andon.v1 and
never decides; people/ knows accounts, PINs and who is logged in; store/ keeps the
journal and the tables that are its fold.
"""

__version__ = "0.1.0"
