"""Ways to solve provisioning."""
