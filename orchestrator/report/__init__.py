"""Pictures of a run: the space-time diagram, and what shows it."""
