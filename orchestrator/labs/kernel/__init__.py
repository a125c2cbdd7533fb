"""The compiled simulation: what the readable reference gives, event for event, only faster.

Never imported where the reference runs: numba would cost more than a small run.
"""
