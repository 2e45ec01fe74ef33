"""What measures: the cost of each technique, and how long a learner waits for a command."""
