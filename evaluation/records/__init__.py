"""Records that the documentation quotes, as small tables beside the code that makes them; one module a problem."""
