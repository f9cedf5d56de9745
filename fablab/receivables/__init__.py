"""What companies owe: their statements of account, and the reminders of what is overdue."""
