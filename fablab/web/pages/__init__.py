"""The pages, one blueprint a subject: each parses, opens a transaction, calls one service, and presents."""
