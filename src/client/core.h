/* core.h - what a client is made of; the handles that point to it. Internal to the client floor.
 *
 * One core lives as long as its process: after fork() the child abandons the parent's and makes its own. */
#ifndef SDI_CLIENT_CORE_H
#define SDI_CLIENT_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "cache/backend.h"
#include "client/async.h"
#include "client/coherence.h"
#include "client/flight.h"
#include "client/floor.h"
#include "client/unfinished.h"
#include "fresh/keys.h"
#include "model/plan.h"
#include "model/settings.h"
#include "route/router.h"

typedef struct sdi_watcher {
    struct sdi_core *core;
    size_t node;
    pthread_t thread;
    bool started;
} sdi_watcher;

typedef struct sdi_core {
    sdi_settings *settings;
    sdi_metrics *metrics;
    sdi_log *log;
    sdi_cache *cache; /* NULL: no shared cache */
    sdi_router *router;
    sdi_watcher *watchers;
    sdi_flights flights;
    sdi_floor floor;
    sdi_unfinished unfinished;
    sdi_async *async;
    sdi_coherence coherence;
    _Atomic uint64_t schema; /* counts the DDL that was noticed: plans of an older number are made again */

    _Atomic uint64_t waited_in_vain; /* the youngest transaction that reads waited for, which stayed pending */
    atomic_bool planned;             /* a plan has been made */
    atomic_bool met;                 /* a server has been reached: the next two are known, and fixed for ever */
    char *identity;                  /* of the connections (sdi_pg_identity) */
    uint64_t local_seed;             /* of the keys of what is kept in this process */
    sdi_buffer space, fences;        /* what all keys begin with, and those of fences */

    sdi_mutex lock; /* guards what follows, and the first meeting */
    sdi_hash128 catalog_version;
    bool catalog_known;        /* it has been asked for once */
    sdi_era catalog_era;       /* of catalog_lsn */
    sdi_lsn catalog_lsn;       /* where a node must be to know the DDL of other programs that was noticed */
    sdi_lsn catalog_unflushed; /* the primary had written so far, but not flushed; 0: it had */
    int64_t catalog_next;      /* when it is to be asked for again */
} sdi_core;

/* sdi_core_new takes the settings over (in every case). */
int sdi_core_new(sdi_settings *settings, sdi_core **core_out, shopdata_error **error_out);
void sdi_core_free(sdi_core *core);
/* sdi_core_abandon: in a forked child; returns the settings, which outlive it. */
sdi_settings *sdi_core_abandon(sdi_core *core);

/* sdi_core_meet learns from a connection what answers depend on. False if it reaches another database or role than the
 * connections before. */
bool sdi_core_meet(sdi_core *core, const sdi_pg_connection *connection);
/* sdi_core_space: the beginning of all keys; false while no server has been reached. `identity` may be NULL. */
bool sdi_core_space(const sdi_core *core, sdi_slice *space, const char **identity);
/* sdi_core_fences: the beginning of a fence's key, what stands before its tag; nothing while no server has been
 * reached.
 */
sdi_slice sdi_core_fences(const sdi_core *core);
/* sdi_core_schema_changed: plans made before are made again. */
void sdi_core_schema_changed(sdi_core *core);
/* sdi_core_catalog_due: is it time to ask the primary for the version of its catalog? sdi_core_catalog takes it, with a
 * moment asked after it; if it is another one, plans are made again, of nodes that have come so far.
 * sdi_core_catalog_asked notes how long it took. */
bool sdi_core_catalog_due(sdi_core *core);
void sdi_core_catalog(sdi_core *core, sdi_hash128 version, const sdi_moment *moment);
void sdi_core_catalog_asked(sdi_core *core, int64_t took_us);
/* sdi_core_catalog_need raises `era` and `lsn` to what a node must have to be asked about the catalog. */
void sdi_core_catalog_need(sdi_core *core, sdi_era *era, sdi_lsn *lsn);

/* sdi_raise moves a position forward to another one; a known era replaces an older one. */
void sdi_raise(sdi_era *era, sdi_lsn *lsn, sdi_era other_era, sdi_lsn other);

/* sdi_watch starts, sdi_unwatch stops the watchers of the nodes. */
int sdi_watch(sdi_core *core, shopdata_error **error_out);
void sdi_unwatch(sdi_core *core);

/* --------------------------------------------------------------------------------------------------------- handles */

struct shopdata_client {
    atomic_uint references;
    unsigned generation; /* of fork: see sdi_client_check */
    sdi_core *core;
};

/* sdi_client_check: SHOPDATA_ERR_FORKED in a child that has not called shopdata_after_fork. */
int sdi_client_check(const shopdata_client *client, shopdata_error **error_out);
shopdata_client *sdi_client_retain(shopdata_client *client);
int sdi_client_open(const shopdata_config *config, shopdata_client **client_out, shopdata_error **error_out);
void sdi_client_release(shopdata_client *client);
int sdi_client_ready(shopdata_client *client, int64_t wait_ms, shopdata_error **error_out);
int sdi_client_after_fork(shopdata_client *client, shopdata_error **error_out);
/* sdi_client_deliver hands out the log lines that wait; of a client that is the parent's it does nothing. */
void sdi_client_deliver(const shopdata_client *client);
int sdi_client_metrics(shopdata_client *client, shopdata_metrics **metrics_out, shopdata_error **error_out);

#endif
