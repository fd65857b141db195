#include "server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/thread.h>

#include "request.h"
#include "routes.h"
#include "task.h"

enum { BODY_MAX = 16384, HEADERS_MAX = 16384, IDLE_SECONDS = 60, BACKLOG = 1024 };

/* A request that waits for the database is a task that its worker leaves alone meanwhile, so one worker for each
 * processor is enough. A connection stays with the worker that accepted it. */
struct worker {
    struct shop_server *server;
    struct event_base *base;
    struct shop_loop *loop;
    struct evhttp *http;
    struct evconnlistener *listener;
    struct event *resume;
    pthread_t thread;
};

struct shop_server {
    struct shop *shop;
    atomic_ullong requests;
    atomic_bool ending;
    int listener;
    int count;
    struct worker workers[];
};

int shop_server_listen(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, BACKLOG) == 0)
        return listener;
    close(listener);
    return -1;
}

int shop_server_port(int listener)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    return getsockname(listener, (struct sockaddr *)&address, &length) == 0 ? ntohs(address.sin_port) : -1;
}

/* One request, from its beginning to its answer. */
struct visit {
    struct shop_server *server;
    struct evhttp_request *http;
};

static void serve(void *argument)
{
    struct visit visit = *(struct visit *)argument; /* which is gone when we first wait */
    struct shop_request request;
    if (shop_request_begin(&request, visit.http, visit.server->shop))
        shop_route(&request);
    else
        evhttp_send_error(visit.http, HTTP_BADREQUEST, NULL);
    shop_request_end(&request);
    atomic_fetch_add_explicit(&visit.server->requests, 1, memory_order_relaxed);
}

static void answer(struct evhttp_request *http, void *argument)
{
    struct worker *worker = argument;
    struct visit visit = {worker->server, http};
    if (atomic_load(&worker->server->ending) || !shop_task_run(worker->loop, serve, &visit))
        evhttp_send_error(http, HTTP_SERVUNAVAIL, NULL);
}

static void resume(evutil_socket_t fd, short what, void *argument)
{
    struct worker *worker = argument;
    (void)fd, (void)what;
    evconnlistener_enable(worker->listener);
}

/* evhttp calls this for every new connection. A worker that accepts takes all who wait, and would serve a crowd that
 * comes at once alone, while the others sleep: after each guest it steps back for a moment. */
static struct bufferevent *step_back(struct event_base *base, void *argument)
{
    static const struct timeval moment = {.tv_usec = 500};
    struct worker *worker = argument;
    (void)base;
    evconnlistener_disable(worker->listener);
    event_add(worker->resume, &moment);
    return NULL; /* evhttp makes the usual bufferevent */
}

/* Each worker has a descriptor of its own for the one socket, because evhttp closes its descriptor at the end. */
static int share_listener(struct worker *worker)
{
    int shared = dup(worker->server->listener);
    if (shared < 0)
        return -1;
    struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(worker->http, shared);
    if (!bound) {
        close(shared);
        return -1;
    }
    worker->listener = evhttp_bound_socket_get_listener(bound);
    return 0;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    event_base_dispatch(worker->base);
    while (shop_loop_busy(worker->loop))
        event_base_loop(worker->base, EVLOOP_ONCE);
    return NULL;
}

/* What a worker has so far is freed by free_worker, also after a failure in here. */
static int prepare_worker(struct worker *worker)
{
    worker->base = event_base_new();
    worker->loop = worker->base ? shop_loop_new(worker->base, shop_client(worker->server->shop)) : NULL;
    worker->http = worker->loop ? evhttp_new(worker->base) : NULL;
    worker->resume = worker->http ? event_new(worker->base, -1, 0, resume, worker) : NULL;
    if (!worker->resume)
        return -1;
    evhttp_set_gencb(worker->http, answer, worker);
    evhttp_set_bevcb(worker->http, step_back, worker);
    evhttp_set_max_body_size(worker->http, BODY_MAX);
    evhttp_set_max_headers_size(worker->http, HEADERS_MAX);
    evhttp_set_timeout(worker->http, IDLE_SECONDS);
    /* All methods come to us: evhttp would answer 501 where 405 and an Allow header are right. */
    evhttp_set_allowed_methods(worker->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                                 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                                 EVHTTP_REQ_PATCH);
    return share_listener(worker);
}

static void free_worker(struct worker *worker)
{
    if (worker->resume)
        event_free(worker->resume);
    if (worker->http)
        evhttp_free(worker->http);
    shop_loop_free(worker->loop);
    if (worker->base)
        event_base_free(worker->base);
}

static bool start_worker(struct shop_server *server)
{
    struct worker *worker = &server->workers[server->count];
    worker->server = server;
    if (prepare_worker(worker) == 0 && pthread_create(&worker->thread, NULL, work, worker) == 0) {
        server->count++;
        return true;
    }
    free_worker(worker);
    return false;
}

struct shop_server *shop_server_start(struct shop *shop, int listener, int threads)
{
    struct shop_server *server = calloc(1, sizeof *server + (size_t)threads * sizeof *server->workers);
    /* Lets shop_server_stop wake up a worker that waits for events. */
    if (!server || evthread_use_pthreads() != 0) {
        free(server);
        return NULL;
    }
    server->shop = shop;
    server->listener = listener;
    for (int i = 0; i < threads; i++) {
        if (!start_worker(server)) {
            shop_server_stop(server);
            return NULL;
        }
    }
    return server;
}

unsigned long long shop_server_requests(struct shop_server *server)
{
    return atomic_load_explicit(&server->requests, memory_order_relaxed);
}

void shop_server_stop(struct shop_server *server)
{
    atomic_store(&server->ending, true);
    for (int i = 0; i < server->count; i++)
        event_base_loopexit(server->workers[i].base, NULL);
    for (int i = 0; i < server->count; i++) {
        pthread_join(server->workers[i].thread, NULL);
        free_worker(&server->workers[i]);
    }
    close(server->listener);
    free(server);
    libevent_global_shutdown();
}
