"""Plates to print and the tries at printing them: states, scheduling, dispatch, sign-off."""
