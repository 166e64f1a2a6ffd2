"""Learning to associate satellites with ground stations."""
