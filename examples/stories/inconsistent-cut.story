# An inconsistent cut: q:2 is inside, but p:2, which sent what it received, is not.
# Whoever takes down the states of p and q there finds a message that was received and never sent.
p local
q local
p send m -> q
q receive m
p local
q send n -> p
p receive n
cut p:1 q:2
