"""The `andon` command: one file a command group, put together in coordinator/__main__.

A command group is a module with `register(app)`. It imports typer and the standard
library alone; whatever costs time (numpy, gRPC, the store, torch) is imported inside
the command that needs it, so that `andon --help` answers at once. A command returns its
exit code, or None for 0, and raises AndonError to refuse.
"""
