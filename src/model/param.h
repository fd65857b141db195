/* param.h - parameters as PostgreSQL gets them and as cache keys contain them. */
#ifndef SDI_MODEL_PARAM_H
#define SDI_MODEL_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include <shopdata/shopdata.h>

#include "base/buffer.h"

enum { SDI_PARAMS_MAX = 65535, SDI_PARAM_BYTES_MAX = 0x3fffffff };

/* sdi_params_check: known kinds, UTF-8 without zero bytes, below PostgreSQL's size limit. The message names the
 * parameter. */
int sdi_params_check(const shopdata_param *params, size_t count, shopdata_error **error_out);

/* sdi_params_readable: can they be looked at? What is there under their bytes was checked when it came there. */
bool sdi_params_readable(const shopdata_param *params, size_t count);

/* sdi_param_text appends the text PostgreSQL gets for a parameter that is neither NULL nor bytes. */
void sdi_param_text(const shopdata_param *param, sdi_buffer *text);

/* sdi_params_identity appends bytes that are equal exactly for parameters with which a statement means the same: each
 * one's class (NULL, bytes, text), length, and content. 42 and "42" are the same: PostgreSQL gets the same text. */
void sdi_params_identity(const shopdata_param *params, size_t count, sdi_buffer *identity);

#endif
