"""Python functions made into machine code, and kept: what the compiled simulation and the compiled measures share."""
