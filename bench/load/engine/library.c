#include "library.h"

#include <string.h>

enum { METRIC_TEXT = 256 };

shopdata_metrics *load_library_take(shopdata_client *client)
{
    shopdata_metrics *metrics = NULL;
    shopdata_metrics_take(client, &metrics, NULL);
    return metrics;
}

static bool is_named(const shopdata_metrics *metrics, size_t index, const char *name)
{
    return strcmp(shopdata_metrics_name(metrics, index), name) == 0;
}

double load_library_sum(const shopdata_metrics *metrics, const char *name)
{
    double sum = 0;
    for (size_t i = 0; metrics && i < shopdata_metrics_count(metrics); i++)
        if (is_named(metrics, i, name))
            sum += shopdata_metrics_value(metrics, i);
    return sum;
}

double load_library_value(const shopdata_metrics *metrics, const char *name, const char *labels)
{
    for (size_t i = 0; metrics && i < shopdata_metrics_count(metrics); i++)
        if (is_named(metrics, i, name) && strcmp(shopdata_metrics_labels(metrics, i), labels) == 0)
            return shopdata_metrics_value(metrics, i);
    return 0;
}

double load_library_growth(const shopdata_metrics *before, const shopdata_metrics *after, const char *name)
{
    return load_library_sum(after, name) - load_library_sum(before, name);
}

/* Both have the same values in the same order, but where a node or a label has come meanwhile. */
static double value_before(const shopdata_metrics *before, const shopdata_metrics *after, size_t index)
{
    const char *name = shopdata_metrics_name(after, index), *labels = shopdata_metrics_labels(after, index);
    if (before && is_named(before, index, name) && strcmp(shopdata_metrics_labels(before, index), labels) == 0)
        return shopdata_metrics_value(before, index);
    return load_library_value(before, name, labels);
}

static void write_value(load_json *json, const shopdata_metrics *metrics, size_t index, double value)
{
    char key[METRIC_TEXT];
    const char *labels = shopdata_metrics_labels(metrics, index);
    snprintf(key, sizeof key, *labels ? "%s{%s}" : "%s%s", shopdata_metrics_name(metrics, index), labels);
    load_json_number(json, key, value, value == (double)(int64_t)value ? 0 : 6);
}

static bool is_bucket(const shopdata_metrics *metrics, size_t index)
{
    const char *name = shopdata_metrics_name(metrics, index);
    size_t length = strlen(name);
    return length > 7 && strcmp(name + length - 7, "_bucket") == 0;
}

static void write_growth(const shopdata_metrics *before, const shopdata_metrics *after, load_json *json)
{
    load_json_begin(json, "library");
    for (size_t i = 0; after && i < shopdata_metrics_count(after); i++) {
        if (shopdata_metrics_type(after, i) == SHOPDATA_GAUGE || is_bucket(after, i))
            continue;
        double grown = shopdata_metrics_value(after, i) - value_before(before, after, i);
        if (grown != 0)
            write_value(json, after, i, grown);
    }
    load_json_end(json);
}

static void write_gauges(const shopdata_metrics *metrics, load_json *json)
{
    load_json_begin(json, "gauges");
    for (size_t i = 0; metrics && i < shopdata_metrics_count(metrics); i++)
        if (shopdata_metrics_type(metrics, i) == SHOPDATA_GAUGE)
            write_value(json, metrics, i, shopdata_metrics_value(metrics, i));
    load_json_end(json);
}

void load_library_write(const shopdata_metrics *before, const shopdata_metrics *after, load_json *json)
{
    write_growth(before, after, json);
    write_gauges(after, json);
}

/* Out of `node="r1"`. */
static void read_node(const char *labels, char node[LOAD_NODE_TEXT])
{
    const char *from = strchr(labels, '"');
    from = from ? from + 1 : labels;
    snprintf(node, LOAD_NODE_TEXT, "%.*s", (int)strcspn(from, "\""), from);
}

load_by_node load_library_by_node(const shopdata_metrics *metrics, const char *name, double factor)
{
    load_by_node found = {.count = 0};
    for (size_t i = 0; metrics && i < shopdata_metrics_count(metrics) && found.count < LOAD_NODES; i++)
        if (is_named(metrics, i, name)) {
            read_node(shopdata_metrics_labels(metrics, i), found.nodes[found.count]);
            found.values[found.count++] = shopdata_metrics_value(metrics, i) * factor;
        }
    return found;
}

void load_by_node_highest(load_by_node *highest, const load_by_node *now)
{
    if (highest->count == 0)
        *highest = *now;
    for (size_t i = 0; i < now->count && i < highest->count; i++)
        if (now->values[i] > highest->values[i])
            highest->values[i] = now->values[i];
}

void load_by_node_write(const load_by_node *by_node, load_json *json, const char *key, int decimals)
{
    load_json_begin(json, key);
    for (size_t i = 0; i < by_node->count; i++)
        if (by_node->values[i] >= 0)
            load_json_number(json, by_node->nodes[i], by_node->values[i], decimals);
    load_json_end(json);
}
