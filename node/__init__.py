"""What one machine of the scale model can know: its process, clock, queue, links and log.

Never imports the orchestrator.
"""
