"""How far from the optimum is the learned policy? Exact optima, bounds and policies for space-air-ground networks."""
