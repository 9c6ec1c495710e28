import plotly.express as px

figure = px.bar(x=["a", "b"], y=[1, 2], title="bars")
assert figure.data[0].type == "bar" and "bars" in figure.to_html(include_plotlyjs=False)
