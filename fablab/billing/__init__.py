"""Tariffs, prices and the ledger: what a print costs, what is reserved, charged and given back."""
