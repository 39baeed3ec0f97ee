"""The window stage: what arrives, and whether it may be judged at all."""
