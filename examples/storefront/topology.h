/* topology.h - where the data comes from, as the library's own metrics tell it: nodes, cache, fences. Nothing else is
 * asked. */
#ifndef SHOP_TOPOLOGY_H
#define SHOP_TOPOLOGY_H

#include <stddef.h>

#include <shopdata/shopdata.h>

enum { SHOP_NODES_MAX = 16, SHOP_NODE_NAME_SIZE = 64, SHOP_PULSE_SECONDS = 60 };

struct shop_node {
    char name[SHOP_NODE_NAME_SIZE];
    double role;    /* 0 unknown, 1 replica, 2 primary */
    double breaker; /* 0 closed, 1 half open, 2 open */
    double lag_bytes, lag_seconds;
    double connections, busy;
    double statements; /* that it ran */
};

/* What the metrics said at one moment. What is not a state is counted since the start. */
struct shop_topology {
    size_t node_count;
    struct shop_node nodes[SHOP_NODES_MAX];
    char cache_kind[SHOP_NODE_NAME_SIZE];
    double cache_breaker;
    double hits, misses, refused, cache_errors;
    double from_cache, from_replica, from_primary;
    double read_seconds; /* of all reads together */
    double writes, bumped, unfenced, pending;
    double sampled, joined, waited_for, retries, failovers;
};

int shop_topology_take(shopdata_client *client, struct shop_topology *topology);
/* shop_topology_reads is how many reads were answered. */
double shop_topology_reads(const struct shop_topology *topology);

/* The last minute, a moment a second. */
struct shop_pulse;

struct shop_pulse *shop_pulse_new(void);
void shop_pulse_free(struct shop_pulse *pulse);
/* shop_pulse_beat adds a moment; to be called once a second. */
void shop_pulse_beat(struct shop_pulse *pulse, const struct shop_topology *now);
/* shop_pulse_read copies the moments, the oldest first; how many there are. */
size_t shop_pulse_read(struct shop_pulse *pulse, struct shop_topology moments[SHOP_PULSE_SECONDS + 1]);

#endif
