# The exercise's literal wording, "send, then update": the message carries the clock before the increment.
# q receives with the clock that p had when it sent, and the clock condition is broken.
clock lamport-literal
p send m -> q
q receive m
q send n -> p
p local
p receive n
