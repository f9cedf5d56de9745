"""Card payments online."""
