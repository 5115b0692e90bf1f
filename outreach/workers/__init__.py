"""dramatiq broker, three-line actors, the scheduler."""
