"""What optimal means for association."""
