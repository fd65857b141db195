#include "fresh/keys.h"

#include <string.h>

#include "model/param.h"

void sdi_key_space(const char *prefix, const char *database, sdi_buffer *space)
{
    sdi_buffer_printf(space, "%s:%s:", prefix, database);
}

bool sdi_fingerprint(const char *connection_identity, const char *sql, sdi_hash128 shape, sdi_hash128 *fingerprint_out)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    sdi_buffer_append(&text, connection_identity, strlen(connection_identity) + 1);
    sdi_buffer_append(&text, &shape, sizeof shape);
    sdi_buffer_text(&text, sql);
    bool made = !text.failed;
    if (made)
        *fingerprint_out = sdi_hash128_of(text.data, text.length);
    sdi_buffer_free(&text);
    return made;
}

void sdi_identity(sdi_hash128 fingerprint, const shopdata_param *params, size_t count, sdi_buffer *identity)
{
    sdi_buffer_append(identity, &fingerprint, sizeof fingerprint);
    sdi_params_identity(params, count, identity);
}

static void hashed_key(sdi_slice space, char kind, sdi_slice identity, sdi_buffer *key)
{
    sdi_hash128 hash = sdi_hash128_of(identity.data, identity.length);
    sdi_buffer_append(key, space.data, space.length);
    sdi_buffer_char(key, kind);
    sdi_buffer_char(key, ':');
    sdi_buffer_hex(key, hash.high, 16);
    sdi_buffer_hex(key, hash.low, 16);
}

void sdi_entry_key(sdi_slice space, sdi_slice identity, sdi_buffer *key)
{
    hashed_key(space, 'e', identity, key);
}

void sdi_lease_key(sdi_slice space, sdi_slice identity, sdi_buffer *key)
{
    hashed_key(space, 'l', identity, key);
}

static const char fence_kind[] = "f:";

void sdi_fence_key(sdi_slice space, sdi_slice tag, sdi_buffer *key)
{
    sdi_buffer_append(key, space.data, space.length);
    sdi_buffer_text(key, fence_kind);
    sdi_buffer_append(key, tag.data, tag.length);
}
