#include "topology.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOMENTS = SHOP_PULSE_SECONDS + 1 };

/* Where a metric goes: a field of the topology, or of the node that its label names. Values that differ in labels that
 * are not told apart here add up. */
static const struct metric {
    const char *name;
    const char *label; /* only with this one; NULL: with any */
    size_t offset;
} totals[] =
    {
        {"shopdata_cache_breaker_state", NULL, offsetof(struct shop_topology, cache_breaker)},
        {"shopdata_cache_hits_total", NULL, offsetof(struct shop_topology, hits)},
        {"shopdata_cache_misses_total", NULL, offsetof(struct shop_topology, misses)},
        {"shopdata_cache_misses_total", "reason=\"fence_refused\"", offsetof(struct shop_topology, refused)},
        {"shopdata_cache_errors_total", NULL, offsetof(struct shop_topology, cache_errors)},
        {"shopdata_queries_total", "source=\"cache\"", offsetof(struct shop_topology, from_cache)},
        {"shopdata_queries_total", "source=\"local\"", offsetof(struct shop_topology, from_cache)},
        {"shopdata_queries_total", "source=\"replica\"", offsetof(struct shop_topology, from_replica)},
        {"shopdata_queries_total", "source=\"primary\"", offsetof(struct shop_topology, from_primary)},
        {"shopdata_query_seconds_sum", NULL, offsetof(struct shop_topology, read_seconds)},
        {"shopdata_writes_total", NULL, offsetof(struct shop_topology, writes)},
        {"shopdata_invalidations_total", NULL, offsetof(struct shop_topology, bumped)},
        {"shopdata_unfenced_writes_total", NULL, offsetof(struct shop_topology, unfenced)},
        {"shopdata_unfenced_pending_tags", NULL, offsetof(struct shop_topology, pending)},
        {"shopdata_fences_sampled_total", NULL, offsetof(struct shop_topology, sampled)},
        {"shopdata_flights_joined_total", NULL, offsetof(struct shop_topology, joined)},
        {"shopdata_freshness_primary_reads_total", NULL, offsetof(struct shop_topology, waited_for)},
        {"shopdata_read_retries_total", NULL, offsetof(struct shop_topology, retries)},
        {"shopdata_failovers_total", NULL, offsetof(struct shop_topology, failovers)},
},
  of_nodes[] = {
      {"shopdata_node_role", NULL, offsetof(struct shop_node, role)},
      {"shopdata_node_breaker_state", NULL, offsetof(struct shop_node, breaker)},
      {"shopdata_node_lag_bytes", NULL, offsetof(struct shop_node, lag_bytes)},
      {"shopdata_node_lag_seconds", NULL, offsetof(struct shop_node, lag_seconds)},
      {"shopdata_pool_connections", NULL, offsetof(struct shop_node, connections)},
      {"shopdata_pool_busy_connections", NULL, offsetof(struct shop_node, busy)},
      {"shopdata_node_queries_total", NULL, offsetof(struct shop_node, statements)},
};

/* Copies the value of a label out of `a="1",node="db1"`. False if it is not there. */
static bool label_of(const char *labels, const char *name, char value[SHOP_NODE_NAME_SIZE])
{
    char key[SHOP_NODE_NAME_SIZE];
    snprintf(key, sizeof key, "%s=\"", name);
    const char *at = strstr(labels, key);
    if (!at)
        return false;
    at += strlen(key);
    snprintf(value, SHOP_NODE_NAME_SIZE, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

static void add(const struct metric *metrics, size_t count, const char *name, const char *labels, double value,
                void *into)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(metrics[i].name, name) && (!metrics[i].label || strstr(labels, metrics[i].label)))
            *(double *)((char *)into + metrics[i].offset) += value;
    }
}

static struct shop_node *node_of(struct shop_topology *topology, const char *name)
{
    for (size_t i = 0; i < topology->node_count; i++) {
        if (!strcmp(topology->nodes[i].name, name))
            return &topology->nodes[i];
    }
    if (topology->node_count == SHOP_NODES_MAX)
        return NULL; /* more than a page can draw */
    struct shop_node *node = &topology->nodes[topology->node_count++];
    snprintf(node->name, sizeof node->name, "%s", name);
    return node;
}

static void add_value(struct shop_topology *topology, const char *name, const char *labels, double value)
{
    char label[SHOP_NODE_NAME_SIZE];
    struct shop_node *node = label_of(labels, "node", label) ? node_of(topology, label) : NULL;
    if (node)
        add(of_nodes, sizeof of_nodes / sizeof *of_nodes, name, labels, value, node);
    add(totals, sizeof totals / sizeof *totals, name, labels, value, topology);
    if (value > 0 && !strcmp(name, "shopdata_cache_kind"))
        label_of(labels, "kind", topology->cache_kind);
}

int shop_topology_take(shopdata_client *client, struct shop_topology *topology)
{
    shopdata_metrics *metrics = NULL;
    int status = shopdata_metrics_take(client, &metrics, NULL);
    if (status < 0)
        return status;
    *topology = (struct shop_topology){0};
    for (size_t i = 0; i < shopdata_metrics_count(metrics); i++)
        add_value(topology, shopdata_metrics_name(metrics, i), shopdata_metrics_labels(metrics, i),
                  shopdata_metrics_value(metrics, i));
    shopdata_metrics_free(metrics);
    return SHOPDATA_OK;
}

double shop_topology_reads(const struct shop_topology *topology)
{
    return topology->from_cache + topology->from_replica + topology->from_primary;
}

struct shop_pulse {
    pthread_mutex_t lock;
    size_t beats; /* since the start; the last one is at (beats - 1) % MOMENTS */
    struct shop_topology moments[MOMENTS];
};

struct shop_pulse *shop_pulse_new(void)
{
    struct shop_pulse *pulse = calloc(1, sizeof *pulse);
    if (pulse)
        pthread_mutex_init(&pulse->lock, NULL);
    return pulse;
}

void shop_pulse_free(struct shop_pulse *pulse)
{
    if (pulse)
        pthread_mutex_destroy(&pulse->lock);
    free(pulse);
}

void shop_pulse_beat(struct shop_pulse *pulse, const struct shop_topology *now)
{
    pthread_mutex_lock(&pulse->lock);
    pulse->moments[pulse->beats++ % MOMENTS] = *now;
    pthread_mutex_unlock(&pulse->lock);
}

size_t shop_pulse_read(struct shop_pulse *pulse, struct shop_topology moments[MOMENTS])
{
    pthread_mutex_lock(&pulse->lock);
    size_t count = pulse->beats < MOMENTS ? pulse->beats : MOMENTS;
    for (size_t i = 0; i < count; i++)
        moments[i] = pulse->moments[(pulse->beats - count + i) % MOMENTS];
    pthread_mutex_unlock(&pulse->lock);
    return count;
}
