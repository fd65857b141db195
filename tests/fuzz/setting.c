/* key=value of any bytes: set as it stands, or refused with nothing changed. */
#include "fuzz.h"
#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sdi_slice text = {(const char *)data, size};
    const char *equals = size ? memchr(data, '=', size) : NULL;
    size_t length = equals ? (size_t)(equals - text.data) : size;
    char *key = sdi_memdup0(text.data, length);
    char *value = equals ? sdi_memdup0(equals + 1, size - length - 1) : sdi_strdup("");
    shopdata_config *config = NULL;
    shopdata_error *error = NULL;
    HOLDS(key && value && sdi_config_new(&config, NULL) == SHOPDATA_OK);
    int status = sdi_config_set(config, key, value, &error);
    HOLDS(status == SHOPDATA_OK || status == SHOPDATA_ERR_CONFIG || status == SHOPDATA_ERR_ARGUMENT);
    size_t count = sdi_config_count(config);
    if (status == SHOPDATA_OK)
        HOLDS(count == 2 && !strcmp(sdi_config_at(config, 1)->value, value));
    else
        HOLDS(count == 0 && !strchr(shopdata_error_message(error), '\n'));
    fuzz_error(status, &error);
    sdi_config_free(config);
    sdi_free(value);
    sdi_free(key);
    return 0;
}
