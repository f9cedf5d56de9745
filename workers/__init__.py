"""The processes behind the pages: Celery tasks that slice and talk to printers, and the ticker that asks for them."""
