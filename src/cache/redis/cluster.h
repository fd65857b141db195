/* cluster.h - which server has which slot: the map of a Redis Cluster, read from any of its nodes and mended by what
 * they answer.
 *
 * Lookups take no lock. Servers are kept until the end, also those that left: somebody may just be using one. */
#ifndef SDI_CACHE_REDIS_CLUSTER_H
#define SDI_CACHE_REDIS_CLUSTER_H

#include <stdatomic.h>

#include "cache/redis/server.h"
#include "cache/redis/slot.h"

typedef struct sdi_redis_cluster {
    sdi_redis_access access;
    _Atomic(sdi_redis_server *) *slots; /* NULL: nobody's, as far as is known */
    atomic_bool stale;                  /* something happened that the map does not show */
    atomic_bool known;                  /* there is a map */
    sdi_breaker breaker;                /* of reading it */
    sdi_mutex asking;                   /* one thread reads the map */
    int64_t asked;                      /* when; under `asking`, as is `turn` */
    size_t turn;                        /* whom to ask next */
    sdi_mutex mutex;                    /* the list of servers */
    sdi_redis_server *servers;
    size_t server_count;
} sdi_redis_cluster;

bool sdi_redis_cluster_init(sdi_redis_cluster *cluster, sdi_redis_access access);
void sdi_redis_cluster_free(sdi_redis_cluster *cluster);
void sdi_redis_cluster_abandon(sdi_redis_cluster *cluster);

/* sdi_redis_cluster_refresh reads the map, if there is reason to; not while another thread does, unless there is no map
 * at all, and not more often than is good. The trouble is told if nobody answers. */
void sdi_redis_cluster_refresh(sdi_redis_cluster *cluster, int64_t deadline, sdi_redis_trouble *trouble);
void sdi_redis_cluster_doubt(sdi_redis_cluster *cluster);
/* sdi_redis_cluster_find is NULL where the map has nobody, with the outcome that is to be told. */
sdi_redis_server *sdi_redis_cluster_find(sdi_redis_cluster *cluster, uint16_t slot, int *outcome,
                                         sdi_redis_trouble *trouble);
/* sdi_redis_cluster_target is the server that `text`, "SLOT HOST:PORT" as said by `from`, names; NULL if it names none.
 * `moved`: it has the slot from now on. */
sdi_redis_server *sdi_redis_cluster_target(sdi_redis_cluster *cluster, const char *text, const sdi_redis_server *from,
                                           bool moved);
/* sdi_redis_cluster_breaker is the worst state of all servers' breakers. */
enum sdi_breaker_state sdi_redis_cluster_breaker(sdi_redis_cluster *cluster);

#endif
