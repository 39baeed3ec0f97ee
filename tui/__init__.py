"""The operator's terminal, and the simulated operator that answers in its place.

The way of a picture: `link` (the only gRPC) -> events -> `board.fold` (pure) -> a
`Board` -> `screens` and `widgets`, which draw it and post `messages`. The way of an
answer: a key -> a message -> `seat` (one person at one open request) -> `link`.
`operator` does the same without a screen, for demos and tests.
"""

import os

# gRPC writes its own lines to stderr, which is the terminal's picture. It reads this
# variable once, when it is first imported, and nothing here is imported before us.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
