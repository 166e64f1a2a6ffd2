"""What optimal means: one folder a problem, each with its referee and its models."""
