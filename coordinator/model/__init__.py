"""Networks, their features, calibration and novelty, and the files they live in."""
