"""The three labs that drive the one process: live, in-process, simulated."""
