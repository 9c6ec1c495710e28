import galois

field = galois.GF(2**8)
a = field([1, 77, 200])
assert ((a * a**-1) == 1).all()
