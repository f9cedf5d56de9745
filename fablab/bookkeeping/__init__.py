"""What the person who keeps the books does with them: closings, exports, counting the cash, reminders."""
