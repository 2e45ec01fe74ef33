"""What makes the environment `.venv`, and goes on in it. Only the standard library is used."""
