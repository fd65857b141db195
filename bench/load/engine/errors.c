#include "errors.h"

#include <ctype.h>
#include <string.h>

void load_errors_init(load_errors *errors)
{
    *errors = (load_errors){0};
    pthread_mutex_init(&errors->lock, NULL);
}

static load_error_kind *find(load_errors *errors, const char *kind)
{
    for (size_t i = 0; i < errors->count; i++)
        if (strcmp(errors->kinds[i].kind, kind) == 0)
            return &errors->kinds[i];
    if (errors->count == LOAD_ERROR_KINDS)
        return &errors->kinds[LOAD_ERROR_KINDS - 1];
    load_error_kind *made = &errors->kinds[errors->count++];
    snprintf(made->kind, sizeof made->kind, "%s", errors->count < LOAD_ERROR_KINDS ? kind : "other");
    return made;
}

void load_errors_add(load_errors *errors, const char *kind, const char *message)
{
    pthread_mutex_lock(&errors->lock);
    load_error_kind *found = find(errors, kind);
    if (found->count++ == 0)
        snprintf(found->message, sizeof found->message, "%s", message);
    pthread_mutex_unlock(&errors->lock);
}

/* "SHOPDATA_ERR_TIMEOUT" is timeout, "SHOPDATA_UNFENCED" is unfenced. */
static void name_status(int status, char name[LOAD_ERROR_KIND_TEXT])
{
    static const char *const prefixes[] = {"SHOPDATA_", "ERR_"};
    const char *from = shopdata_status_name(status);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(from, prefixes[i], strlen(prefixes[i])) == 0)
            from += strlen(prefixes[i]);
    snprintf(name, LOAD_ERROR_KIND_TEXT, "%s", from);
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
}

void load_errors_add_call(load_errors *errors, int status, const shopdata_error *error)
{
    char name[LOAD_ERROR_KIND_TEXT], kind[LOAD_ERROR_KIND_TEXT];
    const char *state = shopdata_error_sqlstate(error);
    name_status(status, name);
    snprintf(kind, sizeof kind, "%.24s%s%.5s", name, *state ? ":" : "", state);
    /* Of what is good with a remark there is no error. */
    load_errors_add(errors, kind, error ? shopdata_error_message(error) : shopdata_status_name(status));
}

void load_errors_write(load_errors *errors, load_json *json)
{
    pthread_mutex_lock(&errors->lock);
    load_json_begin(json, "errors");
    for (size_t i = 0; i < errors->count; i++)
        load_json_count(json, errors->kinds[i].kind, errors->kinds[i].count);
    load_json_end(json);
    load_json_begin(json, "error_samples");
    for (size_t i = 0; i < errors->count; i++)
        load_json_text(json, errors->kinds[i].kind, errors->kinds[i].message);
    load_json_end(json);
    pthread_mutex_unlock(&errors->lock);
}

void load_errors_write_new(load_errors *errors, load_json *json)
{
    pthread_mutex_lock(&errors->lock);
    load_json_begin(json, "errors");
    for (size_t i = 0; i < errors->count; i++) {
        load_error_kind *one = &errors->kinds[i];
        if (one->count > one->before)
            load_json_count(json, one->kind, one->count - one->before);
        one->before = one->count;
    }
    load_json_end(json);
    pthread_mutex_unlock(&errors->lock);
}
