"""What starts a lesson and talks to it: one way to start, one way to send."""
