"""What the screens are made of: each draws a Scene and nothing else."""
