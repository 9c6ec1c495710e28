import flask

app = flask.Flask("cell")


@app.get("/<name>")
def hello(name):
    return flask.render_template_string("hello {{ name }}", name=name)


assert app.test_client().get("/you").text == "hello you"
