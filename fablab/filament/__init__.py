"""Materials, spools and their append-only movements."""
