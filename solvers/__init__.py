"""How the optimum is reached: engines, decompositions and heuristics behind one protocol."""
