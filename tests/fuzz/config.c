/* A configuration file of any bytes: it is taken whole, or not at all with every fault named; and what a file may set,
 * shopdata_config_set may set too. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "model/config.h"
#include "model/settings.h"

static const char NAME[] = "/proc/self/fd/";

/* Every line of the message begins with the file's name. */
static void check_message(const char *message)
{
    for (const char *line = message; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        HOLDS(!strncmp(line, NAME, sizeof NAME - 1) || !strncmp(line, "and ", 4));
    }
}

static void set_again(const shopdata_config *config)
{
    shopdata_config *copy = NULL;
    HOLDS(sdi_config_new(&copy, NULL) == SHOPDATA_OK);
    for (size_t i = 0; i < sdi_config_count(config); i++) {
        const sdi_config_entry *entry = sdi_config_at(config, i);
        if (!entry->key)
            continue;
        char key[128];
        snprintf(key, sizeof key, "%s%s%s.%s", sdi_sections[entry->section].name, *entry->name ? "." : "", entry->name,
                 entry->key->name);
        HOLDS(sdi_config_set(copy, key, entry->value, NULL) == SHOPDATA_OK);
    }
    sdi_config_free(copy);
}

static void make_settings(const shopdata_config *config)
{
    sdi_settings *settings = NULL;
    shopdata_error *error = NULL;
    int status = sdi_settings_make(config, &settings, &error);
    HOLDS((status == SHOPDATA_OK) == (settings != NULL));
    fuzz_error(status, &error);
    sdi_settings_free(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[40];
    if (file < 0)
        file = memfd_create("config", MFD_CLOEXEC);
    HOLDS(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "%s%d", NAME, file);
    shopdata_config *config = NULL;
    shopdata_error *error = NULL;
    HOLDS(sdi_config_new(&config, NULL) == SHOPDATA_OK);
    HOLDS(sdi_config_set(config, "pool.size", "3", NULL) == SHOPDATA_OK);
    size_t before = sdi_config_count(config);
    int status = sdi_config_read_file(config, path, &error);
    HOLDS(status == SHOPDATA_OK || (status == SHOPDATA_ERR_CONFIG && sdi_config_count(config) == before));
    if (status)
        check_message(shopdata_error_message(error));
    fuzz_error(status, &error);
    set_again(config);
    make_settings(config);
    sdi_config_free(config);
    return 0;
}
