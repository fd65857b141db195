#include "model/config.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "model/config_value.h"

struct shopdata_config {
    sdi_config_entry **entries;
    size_t count, capacity;
    shopdata_log_function log;
    void *log_context;
    sdi_map by_path; /* "node.NAME.key" and, for the section itself, "node.NAME" */
};

int sdi_config_new(shopdata_config **config_out, shopdata_error **error_out)
{
    shopdata_config *config = sdi_calloc(1, sizeof *config);
    if (!config)
        return sdi_no_memory(error_out);
    *config_out = config;
    return SHOPDATA_OK;
}

/* A password should not outlive its use on the heap; explicit_bzero is not optimized away. */
static void forget(char *value, size_t length)
{
    if (value)
        explicit_bzero(value, length);
    sdi_free(value);
}

static void free_entry(sdi_config_entry *entry)
{
    if (!entry)
        return;
    forget(entry->value, entry->length);
    sdi_free((char *)entry->name);
    sdi_free(entry);
}

void sdi_config_free(shopdata_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->count; i++)
        free_entry(config->entries[i]);
    sdi_map_free(&config->by_path);
    sdi_free(config->entries);
    sdi_free(config);
}

void sdi_config_set_log(shopdata_config *config, shopdata_log_function function, void *context)
{
    config->log = function;
    config->log_context = context;
}

shopdata_log_function sdi_config_log(const shopdata_config *config, void **context_out)
{
    *context_out = config->log_context;
    return config->log;
}

shopdata_config *sdi_config_copy(const shopdata_config *config)
{
    shopdata_config *copy = NULL;
    if (sdi_config_new(&copy, NULL))
        return NULL;
    sdi_config_set_log(copy, config->log, config->log_context);
    for (size_t i = 0; i < config->count; i++) {
        const sdi_config_entry *entry = config->entries[i];
        if (!sdi_config_put(copy, entry->section, sdi_slice_of(entry->name), entry->key,
                            (sdi_slice){entry->value, entry->length}, 0)) {
            sdi_config_free(copy);
            return NULL;
        }
    }
    return copy;
}

void sdi_config_swap(shopdata_config *a, shopdata_config *b)
{
    shopdata_config held = *a;
    *a = *b;
    *b = held;
}

size_t sdi_config_count(const shopdata_config *config)
{
    return config->count;
}

const sdi_config_entry *sdi_config_at(const shopdata_config *config, size_t index)
{
    return config->entries[index];
}

/* Long enough for any path: names have at most 31 bytes. No allocation, so that a lookup cannot fail for want of it. */
typedef struct path_text {
    char text[96];
} path_text;

static sdi_slice path_of(path_text *path, enum sdi_section_kind section, sdi_slice name, const sdi_config_key *key)
{
    int length = snprintf(path->text, sizeof path->text, "%s%s%.*s%s%s", sdi_sections[section].name,
                          name.length ? "." : "", (int)name.length, name.data, key ? "." : "", key ? key->name : "");
    return (sdi_slice){path->text, (size_t)length};
}

const sdi_config_entry *sdi_config_find(const shopdata_config *config, enum sdi_section_kind section, sdi_slice name,
                                        const sdi_config_key *key)
{
    path_text path;
    return sdi_map_get(&config->by_path, path_of(&path, section, name, key));
}

static bool make_room(shopdata_config *config)
{
    if (config->count < config->capacity)
        return true;
    size_t capacity = config->capacity ? 2 * config->capacity : 16;
    sdi_config_entry **entries = sdi_realloc(config->entries, capacity * sizeof(sdi_config_entry *));
    if (!entries)
        return false;
    config->entries = entries;
    config->capacity = capacity;
    return true;
}

static sdi_config_entry *new_entry(enum sdi_section_kind section, sdi_slice name, const sdi_config_key *key)
{
    sdi_config_entry *entry = sdi_calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->section = section;
    entry->key = key;
    entry->name = sdi_memdup0(name.data, name.length);
    if (entry->name)
        return entry;
    sdi_free(entry);
    return NULL;
}

/* Appends an entry whose value is taken over; on failure the value stays the caller's. */
static bool append(shopdata_config *config, sdi_slice path, sdi_config_entry *entry)
{
    if (!entry || !make_room(config) || !sdi_map_set(&config->by_path, path, entry))
        return false;
    config->entries[config->count++] = entry;
    return true;
}

static sdi_config_entry *find_or_add(shopdata_config *config, enum sdi_section_kind section, sdi_slice name,
                                     const sdi_config_key *key)
{
    path_text path;
    sdi_slice view = path_of(&path, section, name, key);
    sdi_config_entry *entry = sdi_map_get(&config->by_path, view);
    if (entry)
        return entry;
    entry = new_entry(section, name, key);
    if (append(config, view, entry))
        return entry;
    free_entry(entry);
    return NULL;
}

bool sdi_config_put(shopdata_config *config, enum sdi_section_kind section, sdi_slice name, const sdi_config_key *key,
                    sdi_slice value, size_t line)
{
    sdi_config_entry *home = find_or_add(config, section, name, NULL);
    if (!home || !key)
        return home != NULL;
    char *copy = sdi_memdup0(value.data, value.length);
    sdi_config_entry *entry = copy ? find_or_add(config, section, name, key) : NULL;
    if (!entry) {
        forget(copy, value.length);
        return false;
    }
    forget(entry->value, entry->length);
    entry->value = copy;
    entry->length = value.length;
    entry->line = line;
    return true;
}

/* A full key taken apart. */
typedef struct key_path {
    int section;
    sdi_slice name, last;
    const sdi_config_key *key;
} key_path;

static sdi_slice cut_at_dot(sdi_slice *rest)
{
    const char *dot = memchr(rest->data, '.', rest->length);
    size_t length = dot ? (size_t)(dot - rest->data) : rest->length;
    sdi_slice part = {rest->data, length};
    size_t used = dot ? length + 1 : length;
    *rest = (sdi_slice){rest->data + used, rest->length - used};
    return part;
}

/* Takes "cache.address" or "node.NAME.conninfo" apart; false with the fault told. */
static bool parse_path(const char *text, key_path *path, sdi_buffer *fault)
{
    sdi_slice rest = sdi_slice_of(text);
    if (!memchr(rest.data, '.', rest.length)) {
        sdi_quote(fault, rest);
        sdi_buffer_text(fault, " is not a key; write section.key, node.NAME.key or policy.NAME.key");
        return false;
    }
    sdi_slice section = cut_at_dot(&rest);
    path->section = sdi_find_section(section);
    if (path->section < 0) {
        sdi_tell_section(fault, section);
        return false;
    }
    bool named = sdi_sections[path->section].named;
    path->name = named ? cut_at_dot(&rest) : (sdi_slice){"", 0};
    if (named && !sdi_config_name_ok(path->name)) {
        sdi_quote(fault, path->name);
        sdi_buffer_text(fault, " is not a name; write 1 to 31 letters, digits, - and _");
        return false;
    }
    path->key = sdi_find_key((enum sdi_section_kind)path->section, rest);
    if (!path->key)
        sdi_tell_key(fault, (enum sdi_section_kind)path->section, rest);
    return path->key != NULL;
}

static int fail_with(shopdata_error **error_out, const char *key, sdi_buffer *fault)
{
    sdi_buffer shown = SDI_BUFFER_INIT;
    sdi_quote(&shown, sdi_slice_of(key));
    int status = SHOPDATA_ERR_NO_MEMORY;
    if (fault->failed || shown.failed)
        sdi_no_memory(error_out);
    else /* without the quotes */
        status =
            sdi_fail(error_out, SHOPDATA_ERR_CONFIG, "%.*s: %s", (int)shown.length - 2, shown.data + 1, fault->data);
    sdi_buffer_free(&shown);
    return status;
}

static int set_checked(shopdata_config *config, const char *key, const char *value, sdi_buffer *fault,
                       shopdata_error **error_out)
{
    key_path path;
    sdi_config_value parsed;
    if (!parse_path(key, &path, fault) || !sdi_config_value_parse(path.key, sdi_slice_of(value), &parsed, fault))
        return fail_with(error_out, key, fault);
    if (!sdi_config_put(config, path.key->section, path.name, path.key, sdi_slice_of(value), 0))
        return sdi_no_memory(error_out);
    return SHOPDATA_OK;
}

int sdi_config_set(shopdata_config *config, const char *key, const char *value, shopdata_error **error_out)
{
    if (!config || !key || !value)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "%s is NULL", !config ? "config" : !key ? "key" : "value");
    if (sdi_utf8_fault(key, strlen(key)) != strlen(key) || sdi_utf8_fault(value, strlen(value)) != strlen(value))
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the configuration's key or value is not UTF-8");
    sdi_buffer fault = SDI_BUFFER_INIT;
    int status = set_checked(config, key, value, &fault, error_out);
    sdi_buffer_free(&fault);
    return status;
}
