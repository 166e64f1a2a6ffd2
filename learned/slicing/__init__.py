"""Learning to slice: environment, multi-agent actor-critics, imitation."""
