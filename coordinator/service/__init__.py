"""The gRPC edge: translate, never decide."""
