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
    SDI_LABEL_LOCAL_MISS,
    SDI_LABEL_DROP,
    SDI_LABEL_FENCE_CHANGE,
    SDI_LABEL_COMPRESSION,
    SDI_LABEL_STALE,
    SDI_LABEL_LEASE,
    SDI_LABEL_CACHE_FAULT,
    SDI_LABEL_CACHE_KIND,
    SDI_LABEL_POLICY,
    SDI_LABEL_LOG_LEVEL,
    SDI_LABEL_LOG_DROP,
    SDI_LABEL_VERSION,
    SDI_LABEL_COMPILER,
    SDI_LABEL_SETS
};

/* One label and the values it may have; for SDI_LABEL_NODE and _POLICY they are the names of the configuration. */
typedef struct sdi_label {
    const char *name;
    const char *const *values;
    size_t count;
} sdi_label;

typedef struct sdi_metric_description {
    const char *name;
    int type; /* enum shopdata_metric_type */
    const char *unit;
    enum sdi_label_set labels[2]; /* the second is never SDI_LABEL_NODE or _POLICY */
    const char *help;             /* without backslash and line break: it goes into Prometheus' text as it is */
} sdi_metric_description;

extern const sdi_label sdi_labels[SDI_LABEL_SETS];
extern const sdi_metric_description sdi_metric_table[SDI_METRICS];

/* The upper bounds of histogram buckets: as recorded, and as Prometheus' `le` has them. */
enum { SDI_METRIC_BOUNDS = 16 };
typedef struct sdi_metric_bound {
    uint64_t recorded;
    const char *text;
} sdi_metric_bound;

/* What a histogram of a unit looks like. */
typedef struct sdi_metric_scale {
    sdi_metric_bound bounds[SDI_METRIC_BOUNDS];
    double unit; /* how much of what is recorded makes one: 1e6 microseconds a second */
} sdi_metric_scale;
/* sdi_metric_scale_of: of a histogram in `seconds`, recorded in microseconds, or in `bytes`. */
const sdi_metric_scale *sdi_metric_scale_of(const sdi_metric_description *about);

#endif
