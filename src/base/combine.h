/* combine.h - group commit: the requests of many threads share few round trips.
 *
 * A combiner has some lanes, each good for one round trip at a time. Who submits a request while a lane is idle leads
 * it at once, alone. While all are busy requests gather in a queue; a lane that is done takes what has gathered as one
 * batch, and one of those who wait for it leads: sends all of it, receives, hands the answers out. There is no thread
 * of its own, and for a thread that is alone no hop and no system call more.
 *
 * To wait for another costs going to sleep and being woken up, so it pays where a batch has many requests. While there
 * are more requests under way than lanes, a crowd, only a few lanes are used, and the batches are larger.
 *
 * Nobody's deadline or death is a neighbour's. Who leads and has to go, or has his answer before the others, passes the
 * lead on to another who waits for the batch. A batch that nobody waits for any more is broken off. So a request that
 * was submitted may outlive its caller's interest in it: it holds nothing of the caller's, and is left to the combiner
 * by sdi_combine_abandon.
 *
 * First come, first served: who comes while others wait waits behind them, and a batch is bounded. A request with more
 * bytes than that goes alone: neighbours do not wait for all of it to be sent. */
#ifndef SDI_BASE_COMBINE_H
#define SDI_BASE_COMBINE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/futex.h"
#include "base/lock.h"

typedef struct sdi_combiner sdi_combiner;
typedef struct sdi_combine_lane sdi_combine_lane;

/* The first member of a request, from the heap. */
typedef struct sdi_combine_request {
    struct sdi_combine_request *next; /* of the batch, in order; NULL behind the last */
    /* The caller's, before it is submitted: */
    size_t bytes;                       /* that it makes its batch longer by */
    unsigned party;                     /* of whose requests any may wake him (below); 0: he waits for this one alone */
    struct sdi_combine_request *beside; /* the next of the party */
    bool answered;                      /* out: he was told so */
    /* The combiner's: */
    sdi_combiner *combiner;
    sdi_combine_lane *lane;
    int place;
    unsigned bell; /* its caller sleeps by */
    uint32_t sign; /* and wakes up at */
    _Atomic uint32_t state;
} sdi_combine_request;

/* What is done on a lane, by whoever leads it: one thread at a time, each sees what the one before did. `lane` is what
 * sdi_combiner_init was given. */
typedef struct sdi_combine_way {
    /* must: sends the batch that begins with `first`, or as much of it as goes without waiting. May wait to get ready
     * (to connect) until `until`; false if that was not enough: nothing was sent then, and it is called again, by the
     * next who leads. What fails otherwise is the requests' answer, which `step` tells. `until` 0: do not wait. */
    bool (*start)(void *lane, sdi_combine_request *first, int64_t until);
    /* must: goes on, until some requests are answered (also that they failed): how many, counted from `first`, the
     * oldest that was not yet. 0: `until` has passed, or the call is interrupted. Once all are the lane is at rest. */
    size_t (*step)(void *lane, sdi_combine_request *first, int64_t until);
    /* must: nobody waits for the batch that was started. The lane is to be usable again, by connecting anew. No wait.
     */
    void (*break_off)(void *lane);
    /* must: frees a request whose caller has left it. Any thread. */
    void (*drop)(sdi_combine_request *request);
} sdi_combine_way;

typedef struct sdi_combine_bounds {
    size_t requests, bytes; /* of a batch */
    size_t few;             /* lanes that a crowd shares, from 1 */
} sdi_combine_bounds;

struct sdi_combiner {
    const sdi_combine_way *way;
    sdi_combine_bounds bounds;
    sdi_combine_lane *lanes;
    size_t lane_count;
    sdi_mutex mutex; /* of what follows, and the requests' `place`s */
    sdi_combine_lane *idle;
    size_t busy;                        /* lanes that are not */
    sdi_combine_request *first, **last; /* who waits for a lane */
    size_t waiting;                     /* of them, since the last batch was taken */
    unsigned bell;                      /* whoever comes now sleeps by */
    atomic_size_t under_way;            /* only read without the mutex */
};

/* How a request was left. */
enum sdi_combine_end {
    SDI_COMBINE_ANSWERED, /* it was answered all the same; it is the caller's */
    SDI_COMBINE_UNSENT,   /* it was not sent, nor will it be; it is the caller's */
    SDI_COMBINE_LEFT,     /* it may have been sent; it is no longer the caller's */
};

/* sdi_combiner_init makes a combiner of these lanes, the first of which is used first; false without memory. */
bool sdi_combiner_init(sdi_combiner *combiner, const sdi_combine_way *way, void *const *lanes, size_t lane_count,
                       const sdi_combine_bounds *bounds);
/* sdi_combiner_free: no request is under way. The lanes' own things are the caller's. Accepts a zeroed one. */
void sdi_combiner_free(sdi_combiner *combiner);
/* sdi_combiner_abandon is that in a forked child, without locks; requests of the parent's other threads are left. */
void sdi_combiner_abandon(sdi_combiner *combiner);
/* sdi_combiner_is_busy, for such a child: did a thread of the parent use this lane when it forked? */
bool sdi_combiner_is_busy(const sdi_combiner *combiner, const void *lane);
/* sdi_combiner_each_idle calls the function for each lane that is not being used, and lets nobody use it meanwhile. */
void sdi_combiner_each_idle(sdi_combiner *combiner, void (*function)(void *lane));

/* sdi_combiner_under_way is how many requests are, as a moment's figure. */
size_t sdi_combiner_under_way(const sdi_combiner *combiner);
/* sdi_combiner_waiting is how many of them wait for a lane. */
size_t sdi_combiner_waiting(sdi_combiner *combiner);

/* sdi_combine_run runs one request until its answer or the deadline, or until the call is interrupted. */
enum sdi_combine_end sdi_combine_run(sdi_combiner *combiner, sdi_combine_request *request, int64_t deadline);

/* The same in steps, for who has requests under way in several combiners: all are submitted before any is awaited. */
/* sdi_combine_submit queues it, or starts it, where a lane is idle; a lane that has to get ready gets until `until`. */
void sdi_combine_submit(sdi_combiner *combiner, sdi_combine_request *request, int64_t until);
/* sdi_combine_await: true once it is answered; false when `until` has passed or the call is interrupted, and it may be
 * called again. */
bool sdi_combine_await(sdi_combine_request *request, int64_t until);
/* sdi_combine_await_all awaits a party of requests, `first` and those beside it: any of them may make their caller a
 * leader, for whom others wait, so he sleeps for all of them, and who leads several looks at each again and again. When
 * the deadline has passed or the call is interrupted some may not be `answered`, and it may be called again. NULL is
 * nobody to wait for.
 * sdi_combine_party is a number for one. */
unsigned sdi_combine_party(void);
void sdi_combine_await_all(sdi_combine_request *first, int64_t deadline);
/* sdi_combine_abandon ends what was submitted and is not answered. */
enum sdi_combine_end sdi_combine_abandon(sdi_combiner *combiner, sdi_combine_request *request);

#endif
