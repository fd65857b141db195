/* metrics_snapshot.h - what a snapshot holds, for those who write it down in some format. */
#ifndef SDI_MODEL_METRICS_SNAPSHOT_H
#define SDI_MODEL_METRICS_SNAPSHOT_H

#include "base/buffer.h"
#include "model/metrics_table.h"

typedef struct sdi_metric_value {
    const sdi_metric_description *about;
    size_t name, labels; /* where they begin in `texts` */
    double value;
} sdi_metric_value;

/* A histogram is SDI_METRIC_BOUNDS + 1 values of buckets, each with its label `le`, then its sum, then its count. */
struct shopdata_metrics {
    int64_t taken_at;  /* sdi_wall */
    sdi_buffer values; /* of sdi_metric_value */
    sdi_buffer texts;  /* each ends with a zero byte */
    char *prometheus;
    char *emf; /* the last that was asked for; NULL before */
};

static inline size_t sdi_metric_value_count(const shopdata_metrics *metrics)
{
    return metrics->values.length / sizeof(sdi_metric_value);
}

/* sdi_metric_value_at is NULL where there is none. */
static inline const sdi_metric_value *sdi_metric_value_at(const shopdata_metrics *metrics, size_t index)
{
    if (!metrics || index >= sdi_metric_value_count(metrics))
        return NULL;
    return (const sdi_metric_value *)(const void *)metrics->values.data + index;
}

/* sdi_put_number writes a number with a point whatever the process's locale says; NaN, +Inf and -Inf as Prometheus has
 * them. */
void sdi_put_number(sdi_buffer *out, double value);

#endif
