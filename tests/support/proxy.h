/* proxy.h - stands between the library and a real server, and does to the bytes what bad networks and bad servers do.
 *
 * A line is a connection of the library's and the proxy's own to the server. A fault strikes a line: at once, or when
 * its `word` comes by in a request (in one piece, as the library sends it), so that it meets the call that is meant and
 * not a watcher's. From then on `after` bytes more pass in the fault's direction, and it happens. */
#ifndef SDI_TESTS_SUPPORT_PROXY_H
#define SDI_TESTS_SUPPORT_PROXY_H

#include <stddef.h>

typedef struct proxy proxy;

enum proxy_kind {
    PROXY_PASS,          /* all is well */
    PROXY_BYTE_BY_BYTE,  /* one byte in a segment, both ways */
    PROXY_STALL_ANSWER,  /* silence in the middle of an answer; the rest comes when it is healed */
    PROXY_STALL_REQUEST, /* the server hears the rest when it is healed */
    PROXY_SHUT_ANSWER,   /* the line ends towards the library, and goes on hearing it */
    PROXY_SHUT_REQUEST,  /* the line ends towards the server, and goes on telling what it says */
    PROXY_RESET_ANSWER,  /* both ends are reset, in the middle of an answer */
    PROXY_RESET_REQUEST, /* or of a request */
    PROXY_HANG_UP,       /* both ends are closed in the middle of a request; whoever goes on is reset */
    PROXY_GARBAGE,       /* `text` comes once in place of the answer's rest, then silence */
    PROXY_FLOOD,         /* `text` comes again and again */
    PROXY_KINDS
};

typedef struct proxy_fault {
    enum proxy_kind kind;
    const char *word; /* NULL: every line is struck at once */
    size_t after;
    size_t lines; /* how many a word may strike */
    const char *text;
    size_t length;
} proxy_fault;

/* proxy_open listens on a port of its own, in a thread of its own; what fails there fails the test. */
proxy *proxy_open(const char *host, int port);
void proxy_close(proxy *between);
int proxy_port(const proxy *between);
/* proxy_strike replaces the fault there was; proxy_heal lets go what was held back, and passes on from now on. */
void proxy_strike(proxy *between, const proxy_fault *fault);
void proxy_heal(proxy *between);
/* proxy_happened: how often a fault has, of all that there were. */
size_t proxy_happened(proxy *between);

#endif
