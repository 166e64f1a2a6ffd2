"""How far from the optimum: gaps, statistics, experiments, the papers' figures and the command line."""
