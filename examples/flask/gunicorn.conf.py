"""How gunicorn serves the shop: two processes, of eight threads each. gunicorn -c gunicorn.conf.py"""

import signal

wsgi_app = "shop:create_app()"
bind = "127.0.0.1:8080"
workers = 2
threads = 8
# Each worker opens a client of its own: a client has threads, and in the moment of the fork one of them may hold a lock
# of OpenSSL's; in the child nobody would ever let go of it.
preload_app = False
keepalive = 75  # seconds; longer than the load balancer in front keeps a connection that nobody uses


def post_worker_init(worker):
    """Ctrl-C reaches every process of a terminal, and the master tells its workers to end besides: one signal is enough,
    gunicorn's worker does not expect a second one while it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def when_ready(server):
    """Whoever waits for the shop (`run` does) reads where it is."""
    for listener in server.LISTENERS:
        print(listener, flush=True)
