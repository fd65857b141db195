/* config.h - a configuration while it is put together: values as text, each of them checked when it is set. */
#ifndef SDI_MODEL_CONFIG_H
#define SDI_MODEL_CONFIG_H

#include <shopdata/shopdata.h>

#include "base/slice.h"
#include "model/config_keys.h"

/* These are what shopdata_config_new, _set, _read_file, _set_log and _free do. */
int sdi_config_new(shopdata_config **config_out, shopdata_error **error_out);
int sdi_config_set(shopdata_config *config, const char *key, const char *value, shopdata_error **error_out);
int sdi_config_read_file(shopdata_config *config, const char *path, shopdata_error **error_out);
void sdi_config_set_log(shopdata_config *config, shopdata_log_function function, void *context);
void sdi_config_free(shopdata_config *config);

/* sdi_config_log gives the function and its context, which it writes to *context_out. */
shopdata_log_function sdi_config_log(const shopdata_config *config, void **context_out);
/* sdi_config_copy returns a copy, NULL without memory. */
shopdata_config *sdi_config_copy(const shopdata_config *config);
/* sdi_config_swap exchanges what two configurations hold. */
void sdi_config_swap(shopdata_config *a, shopdata_config *b);

/* A section that was named, or a value that was set. */
typedef struct sdi_config_entry {
    enum sdi_section_kind section;
    const char *name;          /* of the node or policy; "" for other sections */
    const sdi_config_key *key; /* NULL: the section itself */
    char *value;
    size_t length;
    size_t line; /* of the file that is being read; 0 for what stood before */
} sdi_config_entry;

/* sdi_config_count, _at walk the entries in the order in which they were first set. */
size_t sdi_config_count(const shopdata_config *config);
const sdi_config_entry *sdi_config_at(const shopdata_config *config, size_t index);
/* sdi_config_find looks an entry up; key NULL asks for the section itself. NULL if it was not set. */
const sdi_config_entry *sdi_config_find(const shopdata_config *config, enum sdi_section_kind section, sdi_slice name,
                                        const sdi_config_key *key);
/* sdi_config_put sets an entry, and names its section; it checks nothing. false without memory: at most the section was
 * named. */
bool sdi_config_put(shopdata_config *config, enum sdi_section_kind section, sdi_slice name, const sdi_config_key *key,
                    sdi_slice value, size_t line);

#endif
