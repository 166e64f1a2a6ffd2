"""Learning to provision transmission, caching and computing."""
