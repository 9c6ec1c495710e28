import jinja2

assert jinja2.Template("{% for x in xs %}{{ x }},{% endfor %}").render(xs=[1, 2]) == "1,2,"
