/* metrics_emf.c - a snapshot as CloudWatch's embedded metric format: JSON documents, one a line, of which CloudWatch
 * makes metrics.
 *
 * "Specification: Embedded metric format", Amazon CloudWatch User Guide: at most 100 metrics a document, at most 30
 * dimensions, the values of dimensions and metrics at the root. So a document holds the metrics of one set of labels.
 * A histogram goes as {"Values", "Counts", "Max", "Min", "Count", "Sum"}: of these CloudWatch makes averages and
 * percentiles. The specification's text names only numbers and arrays of them, but that is how Amazon's own collector
 * writes histograms (the awsemf exporter of OpenTelemetry). */
#include "model/metrics_emf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/slice.h"
#include "model/metrics_snapshot.h"

enum { METRICS_MAX = 100, DIMENSIONS_MAX = 30, OWN_MAX = DIMENSIONS_MAX - 2 };
enum { NAMESPACE_MAX = 255, DIMENSION_NAME_MAX = 250, DIMENSION_VALUE_MAX = 1024 };

/* One value that is sent: a metric with its labels. */
typedef struct point {
    size_t order;       /* in which it stands in the snapshot */
    sdi_slice name;     /* without _total: what is sent is the growth */
    const char *unit;   /* of CloudWatch's list */
    const char *labels; /* as Prometheus has them */
    double value;
    size_t histogram; /* its first bucket in the snapshot; SIZE_MAX: it is none */
} point;

typedef struct emf {
    const shopdata_metrics *now, *before;
    sdi_slice name_space, dimensions;
    sdi_buffer points; /* of point */
    sdi_buffer text;
} emf;

/* ------------------------------------------------------------------------------------------------------- arguments */

static bool next_dimension(sdi_slice *rest, sdi_slice *name, sdi_slice *value)
{
    if (!rest->length)
        return false;
    const char *end = memchr(rest->data, ',', rest->length);
    size_t length = end ? (size_t)(end - rest->data) : rest->length;
    const char *sign = memchr(rest->data, '=', length);
    size_t name_length = sign ? (size_t)(sign - rest->data) : length;
    *name = (sdi_slice){rest->data, name_length};
    *value = sign ? (sdi_slice){sign + 1, length - name_length - 1} : (sdi_slice){rest->data + length, 0};
    size_t used = length + (end ? 1 : 0);
    *rest = (sdi_slice){rest->data + used, rest->length - used};
    return true;
}

static bool printable(sdi_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return true;
}

static bool is_ours(sdi_slice name)
{
    for (size_t i = 0; i < SDI_LABEL_SETS; i++)
        if (sdi_slice_equal(name, sdi_slice_of(sdi_labels[i].name)))
            return true;
    return sdi_slice_equal(name, sdi_slice_of("_aws")) || (name.length >= 9 && !memcmp(name.data, "shopdata_", 9));
}

static int check_dimensions(sdi_slice rest, shopdata_error **error_out)
{
    sdi_slice name, value;
    size_t count = 0;
    while (next_dimension(&rest, &name, &value)) {
        if (!name.length || !value.length || name.length > DIMENSION_NAME_MAX || value.length > DIMENSION_VALUE_MAX ||
            *name.data == ':' || !printable(name) || !printable(value))
            return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                            "dimension \"%.*s\": write name=value, printable ASCII, the name 1 to %d bytes and not "
                            "beginning with `:`, the value 1 to %d",
                            (int)(name.length < 60 ? name.length : 60), name.data, DIMENSION_NAME_MAX,
                            DIMENSION_VALUE_MAX);
        if (is_ours(name))
            return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "dimension %.*s: the library uses this name itself",
                            (int)name.length, name.data);
        if (++count > OWN_MAX)
            return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "there are more than %d dimensions", OWN_MAX);
    }
    return SHOPDATA_OK;
}

static int check_namespace(const char *name_space, shopdata_error **error_out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/#: ";
    size_t length = strlen(name_space);
    if (length && length <= NAMESPACE_MAX && strspn(name_space, allowed) == length && *name_space != ':' &&
        strncmp(name_space, "AWS/", 4) != 0)
        return SHOPDATA_OK;
    return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                    "the namespace has 1 to %d letters, digits, blanks and . - _ / # :, and begins neither with `:` "
                    "nor with AWS/",
                    NAMESPACE_MAX);
}

/* --------------------------------------------------------------------------------------------------------- reading */

static const char *text_at(const shopdata_metrics *metrics, size_t at)
{
    return metrics->texts.data + at;
}

/* The same value in the snapshot before; 0 if there is none, or if it counts anew since. */
static double value_before(const emf *e, size_t index)
{
    const sdi_metric_value *now = sdi_metric_value_at(e->now, index), *then = sdi_metric_value_at(e->before, index);
    if (!then || strcmp(text_at(e->now, now->name), text_at(e->before, then->name)) != 0 ||
        strcmp(text_at(e->now, now->labels), text_at(e->before, then->labels)) != 0 || then->value > now->value)
        return 0;
    return then->value;
}

static double growth(const emf *e, size_t index)
{
    return sdi_metric_value_at(e->now, index)->value - value_before(e, index);
}

static const char *unit_of(const sdi_metric_description *about)
{
    static const char *const units[][2] = {{"count", "Count"}, {"seconds", "Seconds"}, {"bytes", "Bytes"}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(about->unit, units[i][0]))
            return units[i][1];
    return "None";
}

static sdi_slice name_of(const sdi_metric_description *about)
{
    size_t length = strlen(about->name);
    return (sdi_slice){about->name, about->type == SHOPDATA_COUNTER ? length - strlen("_total") : length};
}

static void add_point(emf *e, point p)
{
    p.order = e->points.length;
    if (!isnan(p.value) && !isinf(p.value))
        sdi_buffer_append(&e->points, &p, sizeof p);
}

/* What has never been counted is left out: CloudWatch bills each metric that it has heard of. */
static void add_value(emf *e, const sdi_metric_value *value, size_t index)
{
    point p = {.name = name_of(value->about),
               .unit = unit_of(value->about),
               .labels = text_at(e->now, value->labels),
               .value = value->value,
               .histogram = SIZE_MAX};
    if (value->about->type == SHOPDATA_COUNTER && value->value == 0)
        return;
    if (value->about->type == SHOPDATA_COUNTER)
        p.value = growth(e, index);
    add_point(e, p);
}

/* Of each bucket its middle, and how many are in it; what is over the last bound is counted at that bound. */
typedef struct buckets {
    double values[SDI_METRIC_BOUNDS + 1], counts[SDI_METRIC_BOUNDS + 1];
    size_t used;
    double count;
} buckets;

static double middle_of(const sdi_metric_scale *scale, size_t bucket)
{
    double low = bucket ? (double)scale->bounds[bucket - 1].recorded : 0;
    double high = bucket < SDI_METRIC_BOUNDS ? (double)scale->bounds[bucket].recorded : low;
    return (low + high) / 2 / scale->unit;
}

static buckets buckets_of(const emf *e, size_t first)
{
    buckets b = {.used = 0};
    double below = 0;
    const sdi_metric_scale *scale = sdi_metric_scale_of(sdi_metric_value_at(e->now, first)->about);
    for (size_t i = 0; i <= SDI_METRIC_BOUNDS; i++) {
        double upto = growth(e, first + i);
        if (upto > below) {
            b.values[b.used] = middle_of(scale, i);
            b.counts[b.used++] = upto - below;
            b.count += upto - below;
        }
        below = upto;
    }
    return b;
}

enum { SUM_AT = SDI_METRIC_BOUNDS + 1, HISTOGRAM_VALUES = SUM_AT + 2 };

static void add_histogram(emf *e, const sdi_metric_value *first, size_t index)
{
    point p = {.name = name_of(first->about),
               .unit = unit_of(first->about),
               .labels = text_at(e->now, sdi_metric_value_at(e->now, index + SUM_AT)->labels),
               .histogram = index};
    if (buckets_of(e, index).used)
        add_point(e, p);
}

/* Whether labels are those, or those and more. */
static bool within(const char *labels, const char *outer)
{
    size_t length = strlen(outer);
    return !strncmp(labels, outer, length) && (!length || labels[length] == ',' || !labels[length]);
}

static double growth_within(const emf *e, enum sdi_metric metric, const char *labels)
{
    double sum = 0;
    for (size_t i = 0; i < sdi_metric_value_count(e->now); i++) {
        const sdi_metric_value *value = sdi_metric_value_at(e->now, i);
        if (value->about == &sdi_metric_table[metric] && within(text_at(e->now, value->labels), labels))
            sum += growth(e, i);
    }
    return sum;
}

static void add_hit_ratio(emf *e, const char *labels)
{
    double hits = growth_within(e, SDI_M_CACHE_HITS, labels), misses = growth_within(e, SDI_M_CACHE_MISSES, labels);
    if (hits + misses > 0)
        add_point(e, (point){.name = sdi_slice_of("shopdata_cache_hit_ratio"),
                             .unit = "Percent",
                             .labels = labels,
                             .value = 100 * hits / (hits + misses),
                             .histogram = SIZE_MAX});
}

static void collect(emf *e)
{
    add_hit_ratio(e, "");
    for (size_t i = 0; i < sdi_metric_value_count(e->now); i++) {
        const sdi_metric_value *value = sdi_metric_value_at(e->now, i);
        if (value->about == &sdi_metric_table[SDI_M_BUILD_INFO] || value->about == &sdi_metric_table[SDI_M_CACHE_KIND])
            continue;
        if (value->about->type == SHOPDATA_HISTOGRAM) {
            add_histogram(e, value, i);
            i += HISTOGRAM_VALUES - 1;
            continue;
        }
        if (value->about == &sdi_metric_table[SDI_M_CACHE_HITS])
            add_hit_ratio(e, text_at(e->now, value->labels));
        add_value(e, value, i);
    }
}

static int compare(const void *a, const void *b)
{
    const point *left = a, *right = b;
    int labels = strcmp(left->labels, right->labels);
    return labels ? labels : left->order < right->order ? -1 : left->order > right->order;
}

/* --------------------------------------------------------------------------------------------------------- writing */

/* `text` is printable, or escaped as Prometheus does it, which JSON reads the same. */
static void put_string(sdi_buffer *out, sdi_slice text, bool escaped)
{
    sdi_buffer_char(out, '"');
    for (size_t i = 0; i < text.length; i++) {
        if (!escaped && (text.data[i] == '"' || text.data[i] == '\\'))
            sdi_buffer_char(out, '\\');
        sdi_buffer_char(out, text.data[i]);
    }
    sdi_buffer_char(out, '"');
}

static bool next_label(const char **rest, sdi_slice *name, sdi_slice *value)
{
    const char *at = **rest == ',' ? *rest + 1 : *rest;
    if (!*at)
        return false;
    *name = (sdi_slice){at, strcspn(at, "=")};
    const char *end = value->data = at + name->length + 2;
    while (*end != '"')
        end += *end == '\\' ? 2 : 1;
    value->length = (size_t)(end - value->data);
    *rest = end + 1;
    return true;
}

/* Calls `put` with every dimension of a document: the caller's, then the labels. */
static void each_dimension(emf *e, const char *labels,
                           void (*put)(sdi_buffer *out, size_t number, sdi_slice name, sdi_slice value, bool escaped))
{
    sdi_slice rest = e->dimensions, name, value;
    size_t number = 0;
    while (next_dimension(&rest, &name, &value))
        put(&e->text, number++, name, value, false);
    while (next_label(&labels, &name, &value))
        put(&e->text, number++, name, value, true);
}

static void put_dimension_name(sdi_buffer *out, size_t number, sdi_slice name, sdi_slice value, bool escaped)
{
    (void)value;
    (void)escaped;
    if (number)
        sdi_buffer_char(out, ',');
    put_string(out, name, false);
}

static void put_dimension(sdi_buffer *out, size_t number, sdi_slice name, sdi_slice value, bool escaped)
{
    (void)number;
    sdi_buffer_char(out, ',');
    put_string(out, name, false);
    sdi_buffer_char(out, ':');
    put_string(out, value, escaped);
}

static void put_numbers(sdi_buffer *out, const char *name, const double *numbers, size_t count)
{
    sdi_buffer_printf(out, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        if (i)
            sdi_buffer_char(out, ',');
        sdi_put_number(out, numbers[i]);
    }
    sdi_buffer_text(out, "],");
}

static void put_histogram(emf *e, size_t first)
{
    buckets b = buckets_of(e, first);
    const double last[] = {b.values[b.used - 1], b.values[0], b.count, growth(e, first + SUM_AT)};
    static const char *const names[] = {"Max", "Min", "Count", "Sum"};
    sdi_buffer_char(&e->text, '{');
    put_numbers(&e->text, "Values", b.values, b.used);
    put_numbers(&e->text, "Counts", b.counts, b.used);
    for (size_t i = 0; i < 4; i++) {
        sdi_buffer_printf(&e->text, "%s\"%s\":", i ? "," : "", names[i]);
        sdi_put_number(&e->text, last[i]);
    }
    sdi_buffer_char(&e->text, '}');
}

static void put_document(emf *e, const point *points, size_t count)
{
    sdi_buffer *out = &e->text;
    sdi_buffer_printf(out, "{\"_aws\":{\"Timestamp\":%lld,\"CloudWatchMetrics\":[{\"Namespace\":",
                      (long long)(e->now->taken_at / 1000));
    put_string(out, e->name_space, false);
    sdi_buffer_text(out, ",\"Dimensions\":[[");
    each_dimension(e, points->labels, put_dimension_name);
    sdi_buffer_text(out, "]],\"Metrics\":[");
    for (size_t i = 0; i < count; i++)
        sdi_buffer_printf(out, "%s{\"Name\":\"%.*s\",\"Unit\":\"%s\"}", i ? "," : "", (int)points[i].name.length,
                          points[i].name.data, points[i].unit);
    sdi_buffer_text(out, "]}]}");
    each_dimension(e, points->labels, put_dimension);
    for (size_t i = 0; i < count; i++) {
        sdi_buffer_printf(out, ",\"%.*s\":", (int)points[i].name.length, points[i].name.data);
        if (points[i].histogram == SIZE_MAX)
            sdi_put_number(out, points[i].value);
        else
            put_histogram(e, points[i].histogram);
    }
    sdi_buffer_text(out, "}\n");
}

static void put_documents(emf *e)
{
    point *points = (point *)(void *)e->points.data;
    size_t count = e->points.length / sizeof *points;
    if (count)
        qsort(points, count, sizeof *points, compare);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && to - from < METRICS_MAX && !strcmp(points[to].labels, points[from].labels);)
            to++;
        put_document(e, points + from, to - from);
    }
}

int sdi_metrics_emf(shopdata_metrics *metrics, const shopdata_metrics *previous, const char *name_space,
                    const char *dimensions, const char **text_out, shopdata_error **error_out)
{
    emf e = {.now = metrics,
             .before = previous,
             .name_space = sdi_slice_of(name_space),
             .dimensions = sdi_slice_of(dimensions ? dimensions : "")};
    int status = check_namespace(name_space, error_out);
    if (status == SHOPDATA_OK)
        status = check_dimensions(e.dimensions, error_out);
    if (status != SHOPDATA_OK)
        return status;
    collect(&e);
    if (!e.points.failed)
        put_documents(&e);
    bool failed = e.points.failed;
    sdi_buffer_free(&e.points);
    char *text = sdi_buffer_take(&e.text);
    if (!text || failed) {
        sdi_free(text);
        return sdi_no_memory(error_out);
    }
    sdi_free(metrics->emf);
    *text_out = metrics->emf = text;
    return SHOPDATA_OK;
}
