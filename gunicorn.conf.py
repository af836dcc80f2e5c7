"""How processes serve. The Procfile says which part and port; numbers may be given in the environment.

HOTLINE_WORKERS       processes of this part
HOTLINE_THREADS       threads of each
"""

import gc
import os

worker_class = "gthread"
workers = int(os.environ.get("HOTLINE_WORKERS", "1"))
# An open live line or a caller's socket holds a thread as long as it lasts, so hotline.app gives those fewer slots than
# there are threads: a refusal, a page and a webhook still find one.
threads = int(os.environ.get("HOTLINE_THREADS", "64"))
# a worker that does not even turn its loop is dead; gthread's loop turns while requests and streams run
timeout = 60
graceful_timeout = 20
keepalive = 5
# each worker builds its own runtime after the fork: connections, models and threads do not survive one
preload_app = False
control_socket_disable = True

accesslog = None  # hotline.web.request_log writes a line for every request, without query strings
errorlog = "-"
# a request line beyond this is no request of ours
limit_request_line = 4094
limit_request_fields = 64


def post_worker_init(worker):
    """Leave what the application is made of out of every later collection: a fifth of a webhook's time."""
    gc.collect()
    gc.freeze()
    if media := _media(worker):
        # a stream ends with its call, so a worker that waited for it would be killed with the last words unwritten
        media.stopping = lambda: not worker.alive


def worker_exit(server, worker):
    """Hand in what callers have said so far."""
    if media := _media(worker):
        media.close()


def _media(worker):
    """The hearing of this worker (``hotline.media.MediaDesk``); None where no sound is served or nothing was loaded."""
    return worker.wsgi.extensions.get("hotline_media") if getattr(worker, "wsgi", None) else None
