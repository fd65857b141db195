/* metrics_emf.h - a snapshot as CloudWatch's embedded metric format. */
#ifndef SDI_MODEL_METRICS_EMF_H
#define SDI_MODEL_METRICS_EMF_H

#include <shopdata/shopdata.h>

/* sdi_metrics_emf: see shopdata_metrics_emf. */
int sdi_metrics_emf(shopdata_metrics *metrics, const shopdata_metrics *previous, const char *name_space,
                    const char *dimensions, const char **text_out, shopdata_error **error_out);

#endif
