"""What an exercise, its steps and its checks are."""
