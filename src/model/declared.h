/* declared.h - the settings that a session has declared: "app.tenant" and its value, for current_setting() in policies
 * and statements. */
#ifndef SDI_MODEL_DECLARED_H
#define SDI_MODEL_DECLARED_H

#include <stddef.h>

#include <shopdata/shopdata.h>

#include "base/buffer.h"

enum { SDI_DECLARED_MAX = 16, SDI_DECLARED_NAME_MAX = 63, SDI_DECLARED_VALUE_MAX = 1024 };

typedef struct sdi_declared {
    struct {
        char *name; /* in small letters: PostgreSQL does not tell them apart */
        char *value;
    } items[SDI_DECLARED_MAX];
    size_t count;
    char *command; /* the SQL that tells the server, with `params`; NULL: nothing is declared */
    shopdata_param params[2 * SDI_DECLARED_MAX];
} sdi_declared;

/* sdi_declared_set sets one, or takes it back (value NULL). SHOPDATA_ERR_ARGUMENT for a name or value that cannot be,
 * SHOPDATA_ERR_REFUSED for a setting that is not the application's own. */
int sdi_declared_set(sdi_declared *declared, const char *name, const char *value, shopdata_error **error_out);
/* sdi_declared_get is the value, NULL if it is not declared. */
const char *sdi_declared_get(const sdi_declared *declared, const char *name);
/* sdi_declared_identity appends name and value, each with its end marked. */
void sdi_declared_identity(const char *name, const char *value, sdi_buffer *identity);
void sdi_declared_free(sdi_declared *declared);

#endif
