# A smaller clock does not mean before: p:1 has clock 1 and q:3 has clock 3, and yet they are concurrent.
p local
q local
q local
q local
p send m -> q
q receive m
