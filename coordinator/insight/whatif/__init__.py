"""What would have happened otherwise: two settings compared, alpha swept, reported."""
