# Equal clocks: p:2 and q:2 both have clock 2. If clocks are right, only concurrent events can share one.
p local
q local
p send m -> q
q send n -> p
q receive m
p receive n
