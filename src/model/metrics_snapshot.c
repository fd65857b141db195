#include "model/metrics_snapshot.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/metrics_store.h"

static void put_escaped(sdi_buffer *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            sdi_buffer_char(out, '\\');
        if (*text == '\n')
            sdi_buffer_text(out, "\\n");
        else
            sdi_buffer_char(out, *text);
    }
}

/* `first` is where the labels of this value begin. */
static void put_label(sdi_buffer *out, size_t first, const char *name, const char *value)
{
    sdi_buffer_printf(out, "%s%s=\"", out->length > first ? "," : "", name);
    put_escaped(out, value);
    sdi_buffer_char(out, '"');
}

/* One metric with one value of its label, while it is written down. */
typedef struct series {
    shopdata_metrics *into;
    const sdi_metric_description *about;
    const char *labels[2]; /* "" without one */
} series;

static void put_value(const series *of, const char *suffix, const char *bound, double value)
{
    sdi_buffer *texts = &of->into->texts;
    sdi_metric_value entry = {.about = of->about, .name = texts->length, .value = value};
    sdi_buffer_printf(texts, "%s%s%c", of->about->name, suffix, 0);
    entry.labels = texts->length;
    for (size_t i = 0; i < 2; i++)
        if (of->about->labels[i] != SDI_LABEL_NONE)
            put_label(texts, entry.labels, sdi_labels[of->about->labels[i]].name, of->labels[i]);
    if (bound)
        put_label(texts, entry.labels, "le", bound);
    sdi_buffer_char(texts, 0);
    sdi_buffer_append(&of->into->values, &entry, sizeof entry);
}

/* Works on a copy, so that what is recorded meanwhile cannot make the last bucket and the count differ. */
static void put_histogram(const series *of, const sdi_metrics *metrics, enum sdi_metric metric, size_t label)
{
    sdi_histogram copy;
    sdi_metrics_histogram(metrics, metric, label, &copy);
    const sdi_metric_scale *scale = sdi_metric_scale_of(of->about);
    for (size_t i = 0; i < SDI_METRIC_BOUNDS; i++)
        put_value(of, "_bucket", scale->bounds[i].text, (double)sdi_histogram_below(&copy, scale->bounds[i].recorded));
    double count = (double)sdi_histogram_count(&copy);
    put_value(of, "_bucket", "+Inf", count);
    put_value(of, "_sum", NULL, (double)sdi_histogram_sum(&copy) / scale->unit);
    put_value(of, "_count", NULL, count);
}

static void put_metric(shopdata_metrics *into, const sdi_metrics *metrics, enum sdi_metric metric)
{
    for (size_t i = 0; i < sdi_metrics_label_count(metrics, metric); i++) {
        series of = {into,
                     &sdi_metric_table[metric],
                     {sdi_metrics_label_value(metrics, metric, 0, i), sdi_metrics_label_value(metrics, metric, 1, i)}};
        if (of.about->type == SHOPDATA_HISTOGRAM)
            put_histogram(&of, metrics, metric, i);
        else if (of.about->type == SHOPDATA_GAUGE)
            put_value(&of, "", NULL, sdi_metrics_gauged(metrics, metric, i));
        else
            put_value(&of, "", NULL, (double)sdi_counted(metrics, metric, i));
    }
}

/* printf would write 0,5 under some locales. */
void sdi_put_number(sdi_buffer *out, double value)
{
    if (isnan(value) || isinf(value)) {
        sdi_buffer_text(out, isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    double whole, part = modf(fabs(value), &whole);
    sdi_buffer_printf(out, "%s%.0f", value < 0 ? "-" : "", whole);
    long billionths = (long)(part * 1e9 + 0.5);
    if (billionths > 999999999)
        billionths = 999999999;
    if (billionths <= 0)
        return;
    sdi_buffer_printf(out, ".%09ld", billionths);
    while (!out->failed && out->data[out->length - 1] == '0')
        out->data[--out->length] = 0;
}

static const char *type_name(int type)
{
    return type == SHOPDATA_COUNTER ? "counter" : type == SHOPDATA_GAUGE ? "gauge" : "histogram";
}

static void put_prometheus(const shopdata_metrics *metrics, sdi_buffer *out)
{
    const sdi_metric_description *family = NULL;
    for (size_t i = 0; i < sdi_metric_value_count(metrics); i++) {
        const sdi_metric_value *value = sdi_metric_value_at(metrics, i);
        const char *labels = metrics->texts.data + value->labels;
        if (value->about != family) {
            family = value->about;
            sdi_buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                              type_name(family->type));
        }
        sdi_buffer_printf(out, *labels ? "%s{%s} " : "%s%s ", metrics->texts.data + value->name, labels);
        sdi_put_number(out, value->value);
        sdi_buffer_char(out, '\n');
    }
}

int sdi_metrics_snapshot(const sdi_metrics *metrics, shopdata_metrics **snapshot_out, shopdata_error **error_out)
{
    shopdata_metrics *snapshot = sdi_calloc(1, sizeof *snapshot);
    if (!snapshot)
        return sdi_no_memory(error_out);
    snapshot->taken_at = sdi_wall();
    for (size_t i = 0; i < SDI_METRICS; i++)
        put_metric(snapshot, metrics, (enum sdi_metric)i);
    if (!snapshot->values.failed && !snapshot->texts.failed) {
        sdi_buffer text = SDI_BUFFER_INIT;
        put_prometheus(snapshot, &text);
        snapshot->prometheus = sdi_buffer_take(&text);
    }
    if (!snapshot->prometheus) {
        shopdata_metrics_free(snapshot);
        return sdi_no_memory(error_out);
    }
    *snapshot_out = snapshot;
    return SHOPDATA_OK;
}

/* The accessors stand here and not on the top floor, as those of an error do: who knows the layout reads it. */

size_t shopdata_metrics_count(const shopdata_metrics *metrics)
{
    return metrics ? sdi_metric_value_count(metrics) : 0;
}

const char *shopdata_metrics_name(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? metrics->texts.data + value->name : "";
}

const char *shopdata_metrics_help(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? value->about->help : "";
}

int shopdata_metrics_type(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? value->about->type : 0;
}

const char *shopdata_metrics_unit(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? value->about->unit : "";
}

const char *shopdata_metrics_labels(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? metrics->texts.data + value->labels : "";
}

double shopdata_metrics_value(const shopdata_metrics *metrics, size_t index)
{
    const sdi_metric_value *value = sdi_metric_value_at(metrics, index);
    return value ? value->value : 0;
}

const char *shopdata_metrics_prometheus(const shopdata_metrics *metrics)
{
    return metrics ? metrics->prometheus : "";
}

void shopdata_metrics_free(shopdata_metrics *metrics)
{
    if (!metrics)
        return;
    sdi_buffer_free(&metrics->values);
    sdi_buffer_free(&metrics->texts);
    sdi_free(metrics->prometheus);
    sdi_free(metrics->emf);
    sdi_free(metrics);
}
