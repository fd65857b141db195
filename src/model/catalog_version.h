/* catalog_version.h - whether what plans are made of has changed, as one value. Comparable on one primary, and on what
 * is promoted in its place. */
#ifndef SDI_MODEL_CATALOG_VERSION_H
#define SDI_MODEL_CATALOG_VERSION_H

#include <stdbool.h>

#include "base/hash.h"
#include "model/result.h"

const char *sdi_catalog_version_question(void);
/* sdi_catalog_version_read: false if that is no answer to it. */
bool sdi_catalog_version_read(const shopdata_result *answer, sdi_hash128 *version_out);

#endif
