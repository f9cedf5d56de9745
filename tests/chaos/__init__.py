"""A small place with real processes, orders and people, and everything that can go wrong happening to it at random."""
