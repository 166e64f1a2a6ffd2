"""Digital-twin placement: referee and models; the mathematics is in the README beside this file."""
