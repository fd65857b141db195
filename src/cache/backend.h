/* backend.h - what a shared cache must do: run a batch of small operations in one round trip, fast or not at all.
 *
 * A backend is thread safe and owns its connections, timeouts and circuit breaker. It knows keys, bytes and fence
 * records; which keys, what bytes, and when, is decided above. Making one: a folder here that fills one
 * sdi_cache_backend, passing tests/conformance. */
#ifndef SDI_CACHE_BACKEND_H
#define SDI_CACHE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "model/fence.h"
#include "model/log.h"
#include "model/metrics.h"
#include "model/settings.h"

enum sdi_cache_verb {
    /* The value under `key`, if any: a fresh block in `block` whose first `headroom` bytes are unset. */
    SDI_CACHE_GET,
    /* Keeps `value` under `key` for `ttl_ms`. */
    SDI_CACHE_SET,
    /* Forgets `key`. */
    SDI_CACHE_REMOVE,
    /* Keeps `value` (a placeholder) under `key` for `ttl_ms`, only where nothing is. `found`: something was there. */
    SDI_CACHE_ADD,
    /* Puts `value` (a fence) under `key` for `ttl_ms`, only where exactly `expected` stands. `found`: it was put. */
    SDI_CACHE_SWAP,
    /* Carries out `change` on the fence under `key` as sdi_fence_merge says, atomically; a kept or replaced fence lives
     * for another `ttl_ms`. Nothing there: nothing is done. Of a backend that does not take marks (`marks` below) the
     * run fails if the change has any, or settles any. */
    SDI_CACHE_MERGE,
    /* Tells `value` to all who listen on the channel `key`, when all that stands before it in the batch has been done.
     * Only to a cache that carries messages (sdi_cache_carries). */
    SDI_CACHE_PUBLISH,
};

typedef struct sdi_cache_op {
    enum sdi_cache_verb verb;
    sdi_slice key;            /* at most SDI_CACHE_KEY_MAX bytes */
    sdi_slice value;          /* SET, ADD, SWAP, PUBLISH */
    sdi_slice expected;       /* SWAP */
    const sdi_change *change; /* MERGE */
    int64_t ttl_ms;
    size_t headroom; /* GET */
    /* out */
    bool done; /* of a run that failed: this operation was carried out all the same, and is no GET */
    bool found;
    char *block;   /* GET: from sdi_malloc, the caller's; the value begins at block + headroom, a zero byte behind it */
    size_t length; /* GET: of the value */
} sdi_cache_op;

enum { SDI_CACHE_KEY_MAX = 1024 };

typedef struct sdi_cache sdi_cache;

/* Who listens on a channel: told by a thread of the cache, one call at a time. */
typedef struct sdi_cache_listener {
    void *context;
    const char *channel;
    int64_t interval_ms; /* between two confirmations, while they are wanted */
    /* Listening begins, or begins again: what was published until now may not have been heard. */
    void (*began)(void *context);
    void (*heard)(void *context, sdi_slice message);
    /* All that was published before this moment (sdi_uptime) has been heard, by the server where everybody publishes.
     */
    void (*confirmed)(void *context, int64_t moment);
    /* Has a confirmation been of use since this was asked last? While they are not, they come seldom. */
    bool (*wanted)(void *context);
    /* Nothing is heard until it begins again. */
    void (*lost)(void *context, const char *why);
} sdi_cache_listener;

typedef struct sdi_cache_backend {
    const char *name;
    bool marks; /* fences can be marked: strict mode needs it */
    /* must: makes a cache; does no I/O (a server that is down is no error). */
    int (*open)(const sdi_cache_settings *settings, sdi_cache **cache_out, shopdata_error **error_out);
    /* must: no operation runs any more. */
    void (*close)(sdi_cache *cache);
    /* must: runs the operations, in one round trip's time, until the deadline (or the settings' timeout, if that is
     * earlier). True if all were carried out and answered. False: any of them may or may not have been; the outputs are
     * unset (no block is left behind), but that `done` may be set where it is certain.
     * Order: operations on one key run in the order of the batch; on different keys, which may lie on different
     * servers, in any. Every GET reads its key at some moment between call and return, each at its own. That is enough,
     * because an answer is judged by fences that were read after its read began, whenever its entry was, and each fence
     * for itself: what a write that returned before has done to any of them is seen.
     * Never from a copy that may be behind: what a run that returned true did to a key, every later GET of it by anyone
     * finds, or something later, or nothing.
     * SDI_M_CACHE_SECONDS gets the time it took, where a server was asked; trouble is told through trouble.h. */
    bool (*run)(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline);
    /* must: after fork, in the child: frees without a word to the server and without taking locks. */
    void (*abandon)(sdi_cache *cache);
    /* may: appends why the run that failed last did, in one line without secrets; nothing if none did. Any thread. */
    void (*trouble)(sdi_cache *cache, sdi_buffer *out);
    /* may: does it carry messages, as it is configured? All three or none: */
    bool (*carries)(const sdi_cache *cache);
    /* listens until the cache is closed; called once at most. What the listener points to stays. False without memory,
     * or where no thread can be started. */
    bool (*listen)(sdi_cache *cache, const sdi_cache_listener *listener);
    /* confirms at once where that had become seldom; any thread, for next to nothing where it had not. */
    void (*rouse)(sdi_cache *cache);
} sdi_cache_backend;

/* The first member of every cache. */
struct sdi_cache {
    const sdi_cache_backend *backend; /* set by sdi_cache_open, as are the metrics */
    sdi_metrics *metrics;             /* outlive the cache; NULL: nothing is counted */
    sdi_log *log;                     /* set by sdi_cache_log; NULL: nothing is logged */
    _Atomic int breaker_state;        /* as it was shown last */
};

/* sdi_cache_open makes the cache that the settings name; *cache_out is NULL for `none`. */
int sdi_cache_open(const sdi_cache_settings *settings, sdi_metrics *metrics, sdi_cache **cache_out,
                   shopdata_error **error_out);
/* These accept NULL: nothing to close, every run fails. */
bool sdi_cache_run(sdi_cache *cache, sdi_cache_op *operations, size_t count, int64_t deadline);
/* sdi_cache_log lets the cache tell its trouble; call it before the first run. */
void sdi_cache_log(sdi_cache *cache, sdi_log *log);
void sdi_cache_close(sdi_cache *cache);
void sdi_cache_abandon(sdi_cache *cache);
/* sdi_cache_trouble appends why the last failure came about ("cache:6379: TLS: the certificate is refused: certificate
 * has expired"), for a log; nothing where none is known. */
void sdi_cache_trouble(sdi_cache *cache, sdi_buffer *out);
/* sdi_cache_carries: can messages be published? sdi_cache_listen hears them, sdi_cache_rouse has what was heard
 * confirmed; see the table. */
bool sdi_cache_carries(const sdi_cache *cache);
bool sdi_cache_listen(sdi_cache *cache, const sdi_cache_listener *listener);
void sdi_cache_rouse(sdi_cache *cache);

#endif
