# It asks a service on the network, and knows some sequences by itself.
import oeis

assert oeis.__name__ == "oeis"
