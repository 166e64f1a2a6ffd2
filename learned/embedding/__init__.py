"""Learning to embed virtual networks."""
