"""The live loop: milliseconds, one window at a time; any failure becomes HOLD."""
