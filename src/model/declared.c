#include "model/declared.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/utf8.h"

static int refuse_builtin(const char *name, shopdata_error **error_out)
{
    static const char *const pinned[] = {"TimeZone",
                                         "DateStyle",
                                         "IntervalStyle",
                                         "bytea_output",
                                         "extra_float_digits",
                                         "client_encoding",
                                         "standard_conforming_strings"};
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        if (!strcasecmp(name, pinned[i]))
            return sdi_fail(error_out, SHOPDATA_ERR_REFUSED,
                            "%s is pinned, so that an answer means the same everywhere: convert in the SQL", pinned[i]);
    if (!strcasecmp(name, "role") || !strcasecmp(name, "session_authorization"))
        return sdi_fail(error_out, SHOPDATA_ERR_REFUSED,
                        "%s cannot be set: open a client that connects as the other role", name);
    if (!strcasecmp(name, "search_path"))
        return sdi_fail(
            error_out, SHOPDATA_ERR_REFUSED,
            "search_path cannot be set: plans are made for one; name the schema in the SQL, or open a client "
            "with options=-csearch_path=... in its conninfo");
    return sdi_fail(
        error_out, SHOPDATA_ERR_REFUSED,
        "%.63s is none of the application's own settings, which have a dot in their names (app.tenant): set "
        "it in the conninfo (options=-c...) or by ALTER ROLE",
        name);
}

static bool begins_part(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool goes_on(char byte)
{
    return begins_part(byte) || (byte >= '0' && byte <= '9') || byte == '$';
}

/* Words with dots between, as PostgreSQL takes them. */
static bool is_name(const char *name)
{
    for (;; name++) {
        if (!begins_part(*name))
            return false;
        while (goes_on(*name))
            name++;
        if (*name != '.')
            return *name == '\0';
    }
}

static int check_name(const char *name, shopdata_error **error_out)
{
    if (strlen(name) > SDI_DECLARED_NAME_MAX || !is_name(name))
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT,
                        "\"%.63s\" is no name of a setting: letters, digits and _ with a dot between (app.tenant), at "
                        "most %d bytes",
                        name, SDI_DECLARED_NAME_MAX);
    return strchr(name, '.') ? SHOPDATA_OK : refuse_builtin(name, error_out);
}

static int check_value(const char *name, const char *value, shopdata_error **error_out)
{
    size_t length = strlen(value);
    if (length > SDI_DECLARED_VALUE_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the value of %s has %zu bytes, more than %d", name, length,
                        SDI_DECLARED_VALUE_MAX);
    if (sdi_utf8_fault(value, length) != length)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "the value of %s is not UTF-8", name);
    return SHOPDATA_OK;
}

static size_t find(const sdi_declared *declared, const char *name)
{
    size_t i = 0;
    while (i < declared->count && strcasecmp(declared->items[i].name, name) != 0)
        i++;
    return i;
}

static void lower(char *name)
{
    for (; *name; name++)
        if (*name >= 'A' && *name <= 'Z')
            *name = (char)(*name - 'A' + 'a');
}

static void forget(sdi_declared *declared, size_t at)
{
    if (at == declared->count)
        return;
    sdi_free(declared->items[at].name);
    sdi_free(declared->items[at].value);
    declared->count--;
    memmove(&declared->items[at], &declared->items[at + 1], (declared->count - at) * sizeof declared->items[0]);
}

/* true: for this transaction, and outside one until the next Sync. The server undoes it, whatever becomes of us. */
static char *command_for(size_t count)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    for (size_t i = 0; i < count; i++)
        sdi_buffer_printf(&text, "%s pg_catalog.set_config($%zu, $%zu, true)", i ? "," : "SELECT", 2 * i + 1,
                          2 * i + 2);
    return sdi_buffer_take(&text);
}

static void settle(sdi_declared *declared, char *command)
{
    sdi_free(declared->command);
    declared->command = command;
    for (size_t i = 0; i < declared->count; i++) {
        declared->params[2 * i] = shopdata_text(declared->items[i].name);
        declared->params[2 * i + 1] = shopdata_text(declared->items[i].value);
    }
}

static int take_back(sdi_declared *declared, size_t at, shopdata_error **error_out)
{
    if (at == declared->count)
        return SHOPDATA_OK;
    char *command = declared->count > 1 ? command_for(declared->count - 1) : NULL;
    if (declared->count > 1 && !command)
        return sdi_no_memory(error_out);
    forget(declared, at);
    settle(declared, command);
    return SHOPDATA_OK;
}

static int put(sdi_declared *declared, size_t at, const char *name, const char *value, shopdata_error **error_out)
{
    bool new = at == declared->count;
    char *own_name = sdi_strdup(name), *own_value = sdi_strdup(value);
    char *command = command_for(declared->count + new);
    if (!own_name || !own_value || !command) {
        sdi_free(own_name);
        sdi_free(own_value);
        sdi_free(command);
        return sdi_no_memory(error_out);
    }
    lower(own_name);
    if (!new) {
        sdi_free(declared->items[at].name);
        sdi_free(declared->items[at].value);
    }
    declared->items[at].name = own_name;
    declared->items[at].value = own_value;
    declared->count += new;
    settle(declared, command);
    return SHOPDATA_OK;
}

int sdi_declared_set(sdi_declared *declared, const char *name, const char *value, shopdata_error **error_out)
{
    int status = check_name(name, error_out);
    if (status == SHOPDATA_OK && value)
        status = check_value(name, value, error_out);
    if (status != SHOPDATA_OK)
        return status;
    size_t at = find(declared, name);
    if (!value)
        return take_back(declared, at, error_out);
    if (at == SDI_DECLARED_MAX)
        return sdi_fail(error_out, SHOPDATA_ERR_ARGUMENT, "a session declares at most %d settings", SDI_DECLARED_MAX);
    return put(declared, at, name, value, error_out);
}

const char *sdi_declared_get(const sdi_declared *declared, const char *name)
{
    size_t at = find(declared, name);
    return at < declared->count ? declared->items[at].value : NULL;
}

void sdi_declared_identity(const char *name, const char *value, sdi_buffer *identity)
{
    sdi_buffer_append(identity, name, strlen(name) + 1);
    sdi_buffer_append(identity, value, strlen(value) + 1);
}

void sdi_declared_free(sdi_declared *declared)
{
    while (declared->count)
        forget(declared, declared->count - 1);
    sdi_free(declared->command);
    declared->command = NULL;
}
