"""Paying by card online: a port, its adapter, and what is booked when the money has come. Off unless keys are set."""
