"""Network slicing: referee and models; the mathematics is in the README beside this file."""
