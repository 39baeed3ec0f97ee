"""How a node holds a robot and lets it go on: one adapter a kind of controller."""
