"""What shows: an exchange, the result of a check, tables and pictures."""
