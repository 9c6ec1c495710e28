import igraph

graph = igraph.Graph(edges=[(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)])
assert graph.get_shortest_path(0, 4) == [0, 3, 4] and len(graph.layout("fr")) == 5
