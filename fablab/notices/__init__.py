"""Notices: what happened, told to the person it concerns, in the page and by mail."""
