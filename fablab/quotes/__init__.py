"""Quotes: a binding price on paper, sent to whoever decides, and the order it becomes."""
