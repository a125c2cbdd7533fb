# After figure 1 of Lamport's paper (1978): its fifteen events, with the relations that its text names.
# p:1 happened before r:4. p:3 and q:3 are concurrent, although q:3 comes first by the clock on the wall:
# p cannot know what q did at q:3 until it receives the message at p:4.
machines p q r
p send a -> q
q send b -> p
r local
q receive a
p receive b
r send c -> q
q local
q receive c
p send e -> q
q send d -> p
r local
q send f -> r
p receive d
q receive e
r receive f
