"""Virtual network embedding: what optimal means."""
