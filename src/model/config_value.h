/* config_value.h - from the text of a value to what it means, and back. */
#ifndef SDI_MODEL_CONFIG_VALUE_H
#define SDI_MODEL_CONFIG_VALUE_H

#include "model/config_keys.h"

typedef struct sdi_config_value {
    int64_t number; /* numbers; bool 0 or 1; the number of the choice */
    sdi_slice text; /* texts, and a list of addresses. A view of what was parsed */
} sdi_config_value;

/* sdi_config_value_parse reads and checks a value. On failure *fault gets "what is wrong; what would be right", without
 * the text where that is a secret. */
bool sdi_config_value_parse(const sdi_config_key *key, sdi_slice text, sdi_config_value *value_out, sdi_buffer *fault);
/* sdi_config_value_show writes a number of a key's type as one would in a file: 250ms, 64MiB, 10. */
void sdi_config_value_show(sdi_buffer *out, enum sdi_key_type type, int64_t number);

#endif
