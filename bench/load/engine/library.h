/* library.h - what the library counts of itself: its metrics, at two moments. */
#ifndef LOAD_LIBRARY_H
#define LOAD_LIBRARY_H

#include <shopdata/shopdata.h>

#include "json.h"

/* load_library_take is NULL without memory; shopdata_metrics_free takes it. All below accept NULL, and have nothing
 * then. */
shopdata_metrics *load_library_take(shopdata_client *client);
/* load_library_sum adds up all values of that name: over nodes, sources, policies. With labels (`kind="none"`) the one
 * value that has these. */
double load_library_sum(const shopdata_metrics *metrics, const char *name);
double load_library_value(const shopdata_metrics *metrics, const char *name, const char *labels);
/* What was added from one moment to the other. */
double load_library_growth(const shopdata_metrics *before, const shopdata_metrics *after, const char *name);

/* load_library_write writes what counters and histograms grew by, and the gauges of the second moment. */
void load_library_write(const shopdata_metrics *before, const shopdata_metrics *after, load_json *json);

enum { LOAD_NODES = 64, LOAD_NODE_TEXT = 32 };

/* A number of each node; `value` is below 0 where it is not known. */
typedef struct load_by_node {
    char nodes[LOAD_NODES][LOAD_NODE_TEXT];
    double values[LOAD_NODES];
    size_t count;
} load_by_node;

/* load_library_by_node reads the metric of each node, times `factor`. load_by_node_highest keeps the higher numbers of
 * two. */
load_by_node load_library_by_node(const shopdata_metrics *metrics, const char *name, double factor);
void load_by_node_highest(load_by_node *highest, const load_by_node *now);
void load_by_node_write(const load_by_node *by_node, load_json *json, const char *key, int decimals);

#endif
