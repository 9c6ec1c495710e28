import tornado.template
import tornado.web

assert tornado.template.Template("{{ x }}!").generate(x="ok") == b"ok!"
assert tornado.web.Application([]).reverse_url
