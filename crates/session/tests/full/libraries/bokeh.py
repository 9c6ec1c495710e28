from bokeh.embed import file_html
from bokeh.plotting import figure
from bokeh.resources import INLINE

plot = figure(title="a line of Bokeh")
plot.line([1, 2, 3], [4, 6, 5])
assert "a line of Bokeh" in file_html(plot, INLINE)
