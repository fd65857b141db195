#include "settings.h"

#include <string.h>

enum { KEY_TEXT = 128, READY_MS = 15000 };

/* To be told of one key makes a policy be there; the user's own come later and win. */
static const char *const policies[] = {"product", "list", "best_sellers", "order"};

static bool add(const char **list, size_t *count, const char *text, const char *what, load_fault *fault)
{
    if (*count == LOAD_SETTINGS_MAX)
        return load_fail(fault, "--%s: there are over %d", what, LOAD_SETTINGS_MAX);
    list[(*count)++] = text;
    return true;
}

bool load_settings_add_file(load_settings *settings, const char *path, load_fault *fault)
{
    return add(settings->files, &settings->file_count, path, "config", fault);
}

bool load_settings_add_pair(load_settings *settings, const char *pair, load_fault *fault)
{
    size_t length = strcspn(pair, "=");
    if (!pair[length] || length == 0 || length >= KEY_TEXT)
        return load_fail(fault, "--set: `%s` is not KEY=VALUE, as policy.product.ttl=5s", pair);
    return add(settings->pairs, &settings->pair_count, pair, "set", fault);
}

static bool refused(shopdata_error *error, load_fault *fault)
{
    load_fail(fault, "%s", shopdata_error_message(error));
    shopdata_error_free(error);
    return false;
}

static bool set_pair(shopdata_config *config, const char *pair, shopdata_error **error)
{
    char key[KEY_TEXT] = "";
    memcpy(key, pair, strcspn(pair, "="));
    return shopdata_config_set(config, key, strchr(pair, '=') + 1, error) == SHOPDATA_OK;
}

static bool name_policies(shopdata_config *config, shopdata_error **error)
{
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        char pair[KEY_TEXT];
        snprintf(pair, sizeof pair, "policy.%s.ttl=60s", policies[i]);
        if (!set_pair(config, pair, error))
            return false;
    }
    return true;
}

/* The library's own warnings are for people. */
static void log_line(void *context, int level, const char *line)
{
    (void)context;
    if (level <= SHOPDATA_LOG_WARNING)
        load_complain("%s", line);
}

static bool configure(const load_settings *settings, shopdata_config *config, shopdata_error **error)
{
    if (!name_policies(config, error) || shopdata_config_set_log(config, log_line, NULL, error))
        return false;
    for (size_t i = 0; i < settings->file_count; i++)
        if (shopdata_config_read_file(config, settings->files[i], error))
            return false;
    for (size_t i = 0; i < settings->pair_count; i++)
        if (!set_pair(config, settings->pairs[i], error))
            return false;
    return true;
}

bool load_settings_open(const load_settings *settings, shopdata_client **client_out, load_fault *fault)
{
    shopdata_config *config = NULL;
    shopdata_client *client = NULL;
    shopdata_error *error = NULL;
    bool good = shopdata_config_new(&config, &error) == SHOPDATA_OK && configure(settings, config, &error) &&
                shopdata_open(config, &client, &error) == SHOPDATA_OK &&
                shopdata_ready(client, READY_MS, &error) == SHOPDATA_OK;
    shopdata_config_free(config);
    if (good) {
        *client_out = client;
        return true;
    }
    shopdata_close(client);
    return refused(error, fault);
}

static bool is_secret(const char *key)
{
    return strstr(key, "conninfo") || strstr(key, "password") || strstr(key, "token_keys");
}

void load_settings_write(const load_settings *settings, load_json *json)
{
    load_json_begin(json, "settings");
    for (size_t i = 0; i < settings->pair_count; i++) {
        char key[KEY_TEXT] = "";
        memcpy(key, settings->pairs[i], strcspn(settings->pairs[i], "="));
        load_json_text(json, key, is_secret(key) ? "(secret)" : strchr(settings->pairs[i], '=') + 1);
    }
    load_json_end(json);
}

/* Also of `--set=KEY=VALUE`. */
const char *load_settings_show(const char *argument, char shown[LOAD_SETTINGS_SHOWN])
{
    const char *value = strrchr(argument, '=');
    snprintf(shown, LOAD_SETTINGS_SHOWN, "%.*s", value ? (int)(value - argument) : 0, argument);
    if (!value || !is_secret(shown))
        return argument;
    snprintf(shown, LOAD_SETTINGS_SHOWN, "%.*s=(secret)", (int)strcspn(argument, "="), argument);
    return shown;
}
