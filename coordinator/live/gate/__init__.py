"""The gate stage: from a prediction to act, ask or hold; pure."""
