# An overtaking on a link that does not keep order: what p sends last is received first.
p send first -> q
p send second -> q
q receive second
q receive first
q local
