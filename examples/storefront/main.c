/* main.c - a shop in front of libshopdata: `storefront --config FILE [--keys FILE] [--port N] [--threads N]`, and what
 * --help tells.
 *
 * Prints its address, then a line each second; errors go to stderr. Ends on SIGINT and SIGTERM. Exit code 2 if it was
 * called or configured wrongly, 1 if it cannot serve for another reason. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "server.h"
#include "status.h"

enum { DEFAULT_PORT = 8080, THREADS_MAX = 256, WRONG_CALL = 2, COMPLAINT_SIZE = 512 };

struct options {
    const char *config;
    const char *keys;
    const char *control;
    int64_t port;
    int64_t threads;
};

static const char usage[] =
    "usage: storefront --config FILE [--keys FILE] [--demo-control SOCKET] [--port N] [--threads N]\n"
    "  --config FILE  the library's configuration\n"
    "  --keys FILE    what carts and links are signed with: a key a line, the first signs, all\n"
    "                 verify (default: a random one, which ends with the server)\n"
    "  --port N       0 to 65535; 0 is any that is free (default 8080)\n"
    "  --threads N    1 to 256 threads, none of which ever waits (default: one a processor)\n";

static int complain(const char *what, const char *which, const char *right)
{
    fprintf(stderr, "storefront: %s %s: %s\n", what, which, right);
    return WRONG_CALL;
}

static int read_option(struct options *options, const char *name, const char *value)
{
    if (!strcmp(name, "--config")) {
        options->config = value;
        return 0;
    }
    if (!strcmp(name, "--keys")) {
        options->keys = value;
        return 0;
    }
    if (!strcmp(name, "--demo-control")) {
        options->control = value;
        return 0;
    }
    if (!strcmp(name, "--port"))
        return shop_parse_number(value, 0, 65535, &options->port)
                   ? 0
                   : complain("--port", value, "must be a whole number from 0 to 65535");
    if (!strcmp(name, "--threads"))
        return shop_parse_number(value, 1, THREADS_MAX, &options->threads)
                   ? 0
                   : complain("--threads", value, "must be a whole number from 1 to 256");
    return complain("unknown option", name, "there are --config, --keys, --demo-control, --port and --threads");
}

static int64_t processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online < THREADS_MAX ? online : THREADS_MAX;
}

static int read_options(int argc, char **argv, struct options *options)
{
    *options = (struct options){.port = DEFAULT_PORT, .threads = processors()};
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return complain("option", argv[i], "it needs a value");
        int status = read_option(options, argv[i], argv[i + 1]);
        if (status != 0)
            return status;
    }
    return options->config ? 0 : complain("option", "--config", "it is missing");
}

static bool get_keys(const struct options *options, struct shop_keys *keys)
{
    char complaint[COMPLAINT_SIZE] = "there is no randomness to make a key of";
    if (options->keys ? shop_keys_read(options->keys, keys, complaint, sizeof complaint) : shop_keys_make(keys))
        return true;
    fprintf(stderr, "storefront: %s\n", complaint);
    return false;
}

/* What was counted up to a moment. */
struct counts {
    struct shop_topology topology;
    double requests;
};

/* Once a second: the line, and one more moment for the page that draws them. */
static void beat(struct shop *shop, struct shop_server *server, struct counts *before)
{
    struct counts now = {.requests = (double)shop_server_requests(server)};
    char line[200];
    if (shop_topology_take(shop_client(shop), &now.topology) < 0)
        return;
    shop_status_line(&before->topology, &now.topology, now.requests - before->requests, line, sizeof line);
    puts(line);
    shop_pulse_beat(shop_pulse(shop), &now.topology);
    *before = now;
}

/* The signals are blocked in every thread, so they stay pending until we fetch them here: no handler, no race. */
static void serve_until(const sigset_t *ending, struct shop *shop, struct shop_server *server)
{
    static const struct timespec second = {.tv_sec = 1};
    struct counts before = {0};
    while (sigtimedwait(ending, NULL, &second) < 0) {
        if (errno == EAGAIN)
            beat(shop, server, &before);
    }
}

/* Before the library is opened: who cannot serve has no business with a database. */
static int listen_on(int port)
{
    int listener = shop_server_listen(port);
    if (listener < 0)
        fprintf(stderr, "storefront: port %d of 127.0.0.1: %s; give another with --port\n", port, strerror(errno));
    return listener;
}

static int serve(const struct options *options, const sigset_t *ending, struct shop *shop, int listener)
{
    int port = shop_server_port(listener);
    struct shop_server *server = shop_server_start(shop, listener, (int)options->threads);
    if (!server) {
        fprintf(stderr, "storefront: cannot start %d threads\n", (int)options->threads);
        return EXIT_FAILURE;
    }
    printf("http://127.0.0.1:%d\n", port);
    serve_until(ending, shop, server);
    shop_server_stop(server);
    return EXIT_SUCCESS;
}

static int open_and_serve(const struct options *options, const sigset_t *ending)
{
    struct shop_setup setup = {.config = options->config, .control = options->control};
    shopdata_error *error = NULL;
    int listener = get_keys(options, &setup.keys) ? listen_on((int)options->port) : -1;
    if (listener < 0)
        return WRONG_CALL;
    struct shop *shop = shop_open(&setup, &error);
    if (!shop) {
        fprintf(stderr, "storefront: %s\n", error ? shopdata_error_message(error) : "out of memory");
        shopdata_error_free(error);
        return WRONG_CALL;
    }
    int status = serve(options, ending, shop, listener);
    shop_close(shop);
    return status;
}

int main(int argc, char **argv)
{
    sigset_t ending;
    struct options options;
    if (argc == 2 && !strcmp(argv[1], "--help"))
        return fputs(usage, stdout) < 0;
    int status = read_options(argc, argv, &options);
    if (status != 0)
        return status;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);         /* a visitor who leaves early is no reason to end */
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever reads us through a pipe wants each line in its second */
    return open_and_serve(&options, &ending);
}
