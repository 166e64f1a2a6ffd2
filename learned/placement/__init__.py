"""Learning to place digital twins."""
