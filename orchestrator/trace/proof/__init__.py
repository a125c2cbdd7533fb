"""The nine checks in machine code: they prove what holds, and leave every doubt to the plain ones."""
