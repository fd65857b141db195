/* metrics_table.h - what each metric is called and means, in one table; doc/metrics.md is made from it. */
#ifndef SDI_MODEL_METRICS_TABLE_H
#define SDI_MODEL_METRICS_TABLE_H

#include "model/metrics.h"

enum sdi_label_set {
    SDI_LABEL_NONE,
    SDI_LABEL_SOURCE,
    SDI_LABEL_NODE,
    SDI_LABEL_STATUS,
    SDI_LABEL_MISS,
    SDI_LABEL_DROP,
    SDI_LABEL_CACHE_FAULT,
    SDI_LABEL_SETS
};

/* One label and the values it may have; for SDI_LABEL_NODE the values are the nodes' names. */
typedef struct sdi_label {
    const char *name;
    const char *const *values;
    size_t count;
} sdi_label;

typedef struct sdi_metric_description {
    const char *name;
    int type; /* enum shopdata_metric_type */
    const char *unit;
    enum sdi_label_set label;
    const char *help; /* without backslash and line break: it goes into Prometheus' text as it is */
} sdi_metric_description;

extern const sdi_label sdi_labels[SDI_LABEL_SETS];
extern const sdi_metric_description sdi_metric_table[SDI_METRICS];

/* The upper bounds of histogram buckets: in microseconds, and in seconds as Prometheus' `le` has them. */
enum { SDI_METRIC_BOUNDS = 16 };
typedef struct sdi_metric_bound {
    uint64_t microseconds;
    const char *seconds;
} sdi_metric_bound;
extern const sdi_metric_bound sdi_metric_bounds[SDI_METRIC_BOUNDS];

#endif
