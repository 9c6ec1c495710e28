import networkx as nx

graph = nx.Graph()
graph.add_weighted_edges_from([("a", "b", 1), ("b", "c", 2), ("a", "c", 5)])
assert nx.shortest_path(graph, "a", "c", weight="weight") == ["a", "b", "c"]
