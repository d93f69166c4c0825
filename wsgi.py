"""The site for any WSGI server: `gunicorn wsgi:app`."""

from portal import create_app
from portal.logs import configure

configure()
app = create_app()
