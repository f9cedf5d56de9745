"""The application for WSGI servers: `gunicorn fablab.web.wsgi:app`."""

from fablab.web import create_app

app = create_app()
