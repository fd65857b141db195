/* token_keys.h - the keys that sign session tokens: `ID:SECRET`, with commas between. The first one signs, all verify.
 */
#ifndef SDI_MODEL_TOKEN_KEYS_H
#define SDI_MODEL_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { SDI_TOKEN_KEYS_MAX = 8, SDI_TOKEN_KEY_ID_MAX = 16, SDI_TOKEN_SECRET_MIN = 16, SDI_TOKEN_SECRET_MAX = 256 };

typedef struct sdi_token_key {
    sdi_slice id, secret;
} sdi_token_key;

typedef struct sdi_token_keys {
    size_t count; /* 0: tokens are not signed */
    sdi_token_key keys[SDI_TOKEN_KEYS_MAX];
} sdi_token_keys;

/* sdi_token_keys_read takes a list apart, which lives as long as the text does; empty text is none. On failure *fault
 * gets what is wrong with each item, by its place: no secret, and nothing that may be part of one. */
bool sdi_token_keys_read(sdi_slice text, sdi_token_keys *keys_out, sdi_buffer *fault);
/* sdi_token_keys_find: NULL if there is none of that id. */
const sdi_token_key *sdi_token_keys_find(const sdi_token_keys *keys, sdi_slice id);

#endif
