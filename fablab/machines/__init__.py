"""Machines: what their driver reports, and what people have said about their plate."""
