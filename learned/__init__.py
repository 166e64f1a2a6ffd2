"""How policies are learned: environments, networks, one file an algorithm, and a policy as one more solver."""
