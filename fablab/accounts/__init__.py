"""People, what they may do, and their sign-ins."""
