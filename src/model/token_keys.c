#include "model/token_keys.h"

#include <string.h>

static sdi_slice cut_at(sdi_slice *rest, char separator)
{
    const char *at = rest->length ? memchr(rest->data, separator, rest->length) : NULL;
    size_t length = at ? (size_t)(at - rest->data) : rest->length, used = length + (at != NULL);
    sdi_slice part = {rest->data, length};
    *rest = (sdi_slice){rest->data + used, rest->length - used};
    return part;
}

/* By hand and not by isalnum: a locale must not widen what an id is. */
static bool is_id(sdi_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (c < '0' || c > '9') && c != '-' && c != '_')
            return false;
    }
    return text.length >= 1 && text.length <= SDI_TOKEN_KEY_ID_MAX;
}

/* An id that is none is not shown: somebody may have left the id away, and written the secret alone. */
static bool read_key(sdi_slice item, const sdi_token_keys *before, sdi_token_key *key, sdi_buffer *fault)
{
    bool colon = item.length && memchr(item.data, ':', item.length);
    key->id = cut_at(&item, ':');
    key->secret = item;
    if (!colon)
        sdi_buffer_text(fault, "is not ID:SECRET");
    else if (!is_id(key->id))
        sdi_buffer_printf(fault, "has an id that is not 1 to %d letters, digits, - and _", SDI_TOKEN_KEY_ID_MAX);
    else if (key->secret.length < SDI_TOKEN_SECRET_MIN)
        sdi_buffer_printf(fault, "has a secret of %zu bytes; write at least %d, as from `openssl rand -hex 32`",
                          key->secret.length, SDI_TOKEN_SECRET_MIN);
    else if (key->secret.length > SDI_TOKEN_SECRET_MAX)
        sdi_buffer_printf(fault, "has a secret of %zu bytes; write at most %d", key->secret.length,
                          SDI_TOKEN_SECRET_MAX);
    else if (sdi_token_keys_find(before, key->id))
        sdi_buffer_printf(fault, "has the id `%.*s` of a key before it", (int)key->id.length, key->id.data);
    else
        return true;
    return false;
}

static bool take_key(sdi_slice item, sdi_token_keys *keys, sdi_buffer *fault)
{
    sdi_token_key key;
    if (keys->count == SDI_TOKEN_KEYS_MAX)
        sdi_buffer_printf(fault, "is one too many; at most %d", SDI_TOKEN_KEYS_MAX);
    else if (read_key(item, keys, &key, fault)) {
        keys->keys[keys->count++] = key;
        return true;
    }
    return false;
}

static size_t count_items(sdi_slice text)
{
    size_t count = text.length > 0;
    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == ',';
    return count;
}

bool sdi_token_keys_read(sdi_slice text, sdi_token_keys *keys_out, sdi_buffer *fault)
{
    sdi_token_keys keys = {0};
    size_t count = count_items(text), faults = 0;
    for (size_t i = 0; i < count; i++) {
        sdi_buffer why = SDI_BUFFER_INIT;
        if (!take_key(cut_at(&text, ','), &keys, &why))
            sdi_buffer_printf(fault, "%skey %zu %s", faults++ ? "; " : "", i + 1, why.failed ? "is wrong" : why.data);
        sdi_buffer_free(&why);
    }
    if (!faults)
        *keys_out = keys;
    return faults == 0;
}

const sdi_token_key *sdi_token_keys_find(const sdi_token_keys *keys, sdi_slice id)
{
    for (size_t i = 0; i < keys->count; i++)
        if (sdi_slice_equal(keys->keys[i].id, id))
            return &keys->keys[i];
    return NULL;
}
