/* page.c - one page from memory, by evhttp: what an HTTP server in C can do at most. `page FILE THREADS`
 *
 * FILE holds the lines of its header, an empty line, and the body. Prints the address of a free port, and serves until
 * it is ended. A thread with an event base of its own for each core, as the storefront has them. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

enum { PAGE_MAX = 1 << 20, HEADERS_MAX = 32, THREADS_MAX = 256, BACKLOG = 1024 };

struct page {
    char text[PAGE_MAX];
    const char *names[HEADERS_MAX], *values[HEADERS_MAX];
    size_t header_count, length;
    const char *body;
};

static bool complain(const char *what)
{
    fprintf(stderr, "page: %s\n", what);
    return false;
}

/* Cuts the header's lines where they stand. */
static bool parse(struct page *page)
{
    char *line = page->text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (end == line) {
            page->body = end + 1;
            page->length -= (size_t)(page->body - page->text);
            return true;
        }
        char *colon = strstr(line, ": ");
        if (!colon || page->header_count == HEADERS_MAX)
            break;
        *colon = '\0';
        page->names[page->header_count] = line;
        page->values[page->header_count++] = colon + 2;
    }
    return complain("the file must begin with lines of `Name: value`, and an empty one behind them");
}

static bool load(struct page *page, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return complain("cannot read the file");
    page->length = fread(page->text, 1, sizeof page->text - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    return whole ? parse(page) : complain("the file is longer than 1 MiB, or cannot be read");
}

static void answer(struct evhttp_request *request, void *argument)
{
    const struct page *page = argument;
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    for (size_t i = 0; i < page->header_count; i++)
        evhttp_add_header(headers, page->names[i], page->values[i]);
    evbuffer_add_reference(evhttp_request_get_output_buffer(request), page->body, page->length, NULL, NULL);
    evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

/* A socket a thread, all on one port: the kernel shares the connections out. */
static int listen_on(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &length) != 0)
        return -1;
    return listener;
}

static struct event_base *make_base(struct page *page, struct sockaddr_in *address)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;
    int listener = http ? listen_on(address) : -1;
    if (listener < 0 || evhttp_accept_socket(http, listener) != 0)
        return NULL;
    evhttp_set_gencb(http, answer, page);
    return base;
}

static void *work(void *base)
{
    event_base_dispatch(base);
    return NULL;
}

static bool serve(struct page *page, unsigned threads)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    pthread_t thread;
    for (unsigned i = 0; i < threads; i++) {
        struct event_base *base = make_base(page, &address);
        if (!base || pthread_create(&thread, NULL, work, base) != 0)
            return complain("cannot listen, or start a thread");
    }
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    pthread_join(thread, NULL);
    return true;
}

int main(int count, char **arguments)
{
    static struct page page;
    unsigned long threads = count == 3 ? strtoul(arguments[2], NULL, 10) : 0;
    if (threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "usage: page FILE THREADS\n");
        return 2;
    }
    return load(&page, arguments[1]) && serve(&page, (unsigned)threads) ? 0 : 1;
}
