import django
from django.conf import settings
from django.template import Context, Template

settings.configure(TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}])
django.setup()
assert Template("{% for x in xs %}{{ x|upper }} {% endfor %}").render(Context({"xs": "ab"})) == "A B "
