"""Why an event has its clock, and which of two events was first: walks through a recorded run, ours or anybody's."""
