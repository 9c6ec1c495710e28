import graphviz

graph = graphviz.Digraph()
graph.edge("a", "b")
assert "a -> b" in graph.source
if HERE:
    assert graph.pipe(format="svg").count(b"<ellipse") == 2
