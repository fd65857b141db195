/* faults.h - all that is wrong with a configuration, gathered to be told at once: a line each, the first 50 of them. */
#ifndef SDI_MODEL_FAULTS_H
#define SDI_MODEL_FAULTS_H

#include "base/buffer.h"
#include "base/error.h"

typedef struct sdi_faults {
    sdi_buffer text;
    size_t count;
} sdi_faults;

#define SDI_FAULTS_INIT                                                                                                \
    {                                                                                                                  \
        SDI_BUFFER_INIT, 0                                                                                             \
    }

void sdi_faults_add(sdi_faults *faults, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* sdi_faults_end frees the list; SHOPDATA_OK if it was empty, else SHOPDATA_ERR_CONFIG and the error. */
int sdi_faults_end(sdi_faults *faults, shopdata_error **error_out);

#endif
