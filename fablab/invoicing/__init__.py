"""Invoices, credit notes and their payments: what was sold, frozen, numbered without gaps and chained."""
