/* metrics_store.h - reading the store of metrics.c: what the snapshot needs and nobody else. */
#ifndef SDI_MODEL_METRICS_STORE_H
#define SDI_MODEL_METRICS_STORE_H

#include "base/histogram.h"
#include "model/metrics.h"

/* sdi_metrics_label_count is how many values a metric has; sdi_metrics_label_value names the value of its first
 * (which 0) or second (1) label there, "" without one. */
size_t sdi_metrics_label_count(const sdi_metrics *metrics, enum sdi_metric metric);
const char *sdi_metrics_label_value(const sdi_metrics *metrics, enum sdi_metric metric, size_t which, size_t label);
double sdi_metrics_gauged(const sdi_metrics *metrics, enum sdi_metric metric, size_t label);
/* sdi_metrics_histogram is a copy of the sum of all threads. */
void sdi_metrics_histogram(const sdi_metrics *metrics, enum sdi_metric metric, size_t label, sdi_histogram *sum);

#endif
