/* keys.h - names in the shared cache.
 *
 *   PREFIX:DATABASE:e:HASH   the entry of an answer; HASH is 128 bits over its identity, in hexadecimal
 *   PREFIX:DATABASE:l:HASH   its lease: who asks the database for it
 *   PREFIX:DATABASE:f:TAG    the fence of a tag (memcached hashes what is over 250 bytes or has blanks)
 *
 * The identity is all an answer depends on: role and search_path, SQL, the tables' shape, parameters, settings. Two
 * identities may share a hash (xxHash is no defence against somebody who searches for that), so the entry carries it
 * and the reader compares. */
#ifndef SDI_FRESH_KEYS_H
#define SDI_FRESH_KEYS_H

#include <shopdata/shopdata.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "base/slice.h"

/* sdi_key_space appends "PREFIX:DATABASE:", what all keys of a client begin with. `identity` is sdi_pg_identity. */
void sdi_key_space(const char *prefix, const char *database, sdi_buffer *space);
/* sdi_fingerprint is the part of the identity that a statement's calls share: `shape` is what the catalog said of the
 * tables when the plan was made, so that what another shape gave is a miss. False without memory. */
bool sdi_fingerprint(const char *connection_identity, const char *sql, sdi_hash128 shape, sdi_hash128 *fingerprint_out);
/* sdi_identity appends the identity of one call. */
void sdi_identity(sdi_hash128 fingerprint, const shopdata_param *params, size_t count, sdi_buffer *identity);

void sdi_entry_key(sdi_slice space, sdi_slice identity, sdi_buffer *key);
void sdi_lease_key(sdi_slice space, sdi_slice identity, sdi_buffer *key);
void sdi_fence_key(sdi_slice space, sdi_slice tag, sdi_buffer *key);

#endif
