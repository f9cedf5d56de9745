"""What becomes of an order that went wrong: money back, printed again for nothing, or a reason why not."""
