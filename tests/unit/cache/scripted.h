/* scripted.h - a server that follows a script, for what real servers will not do, and what every backend makes of it.
 * What it says and hears is the protocol's. */
#ifndef SDI_TESTS_UNIT_CACHE_SCRIPTED_H
#define SDI_TESTS_UNIT_CACHE_SCRIPTED_H

#include <stdatomic.h>
#include <stdio.h>

#include "../../support/caches.h"

/* The time-out where one is expected; elsewhere a busy machine has all the time it takes. */
enum { SCRIPTED_REPLIES = 8, SCRIPTED_TIMEOUT_MS = 150 };

/* Replies of every protocol: none; a value that comes a byte now and then; one that never ends. */
extern const char SILENCE[], TRICKLE[], FLOOD[];

/* One connection: what is said after the greeting's commands, and after each request then; NULL closes. */
typedef struct scene {
    const char *greeting;  /* NULL: the ordinary one */
    int greeting_commands; /* 0: as many as there are without AUTH */
    bool once;             /* closes after the first reply, without being asked */
    const char *replies[SCRIPTED_REPLIES];
} scene;

typedef struct scripted_protocol {
    sdi_cache_settings (*settings)(void);
    void (*greet)(int fd, FILE *in, const scene *played); /* NULL: nobody is greeted */
    bool (*read_request)(int fd, FILE *in);               /* false when the client has closed */
    void (*part)(int fd, FILE *in);                       /* before a scene closes that plays once; NULL: nothing */
    const char *value, *missing;                          /* answers to a GET: hello, and nothing */
    const char *half, *refusal;                           /* of an answer; of a command */
    const char *trickle, *flood; /* how an answer of 5000 bytes begins, and one of a gigabyte */
} scripted_protocol;

extern struct scripted {
    const scripted_protocol *protocol;
    sdi_address where;
    sdi_cache_settings settings;
    sdi_metrics *metrics;
    sdi_cache *cache;
    atomic_int connections, requests, replies;
    atomic_bool held; /* requests are read, and answered when this is over */
    bool mute;        /* the last reply was none, or not a whole one */
} scripted;

void scripted_say(int fd, const char *text);
/* scripted_begin starts the server and opens the cache; of the scenes, one a connection, the last one repeats. */
void scripted_begin(const scene *scenes, size_t count);
void scripted_end(void);
/* scripted_get: whether the run was done; what it found is hello. */
bool scripted_get(int64_t deadline);
uint64_t scripted_faults(enum sdi_cache_fault fault);
/* scripted_check_fault: one run of these operations against one scene fails, in time, as this fault. */
void scripted_check_fault(const scene *played, sdi_cache_op *operations, size_t count, enum sdi_cache_fault fault);
/* scripted_check_reply does so with one operation and one reply. */
void scripted_check_reply(enum sdi_cache_verb verb, const char *reply, enum sdi_cache_fault fault);
/* scripted_fill adds the fixture, and the tests that hold for every backend. */
void scripted_fill(TCase *cases, const scripted_protocol *protocol);

#endif
