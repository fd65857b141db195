#include "fresh/token.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/base64.h"
#include "base/hash.h"
#include "model/wire.h"

enum { VERSION = '1', MAC_BYTES = 16, HASH_BYTES = 32 };
enum { WROTE = 1, UNKNOWN = 2, ALL_TAGS = 4, FLAGS = 7 };

/* What is signed begins with this, so that no other use of the same secret makes a signature that fits. */
static const char purpose[] = "shopdata session token:";

/* ------------------------------------------------------------------------------------------------------------ tags */

uint64_t sdi_token_tag(sdi_slice fence_key)
{
    return sdi_hash64(fence_key.data, fence_key.length);
}

static size_t place_of(const sdi_token *token, uint64_t tag)
{
    size_t at = 0;
    while (at < token->tag_count && token->tags[at] < tag)
        at++;
    return at;
}

static bool stands_at(const sdi_token *token, size_t at, uint64_t tag)
{
    return at < token->tag_count && token->tags[at] == tag;
}

void sdi_token_add_tag(sdi_token *token, uint64_t tag)
{
    size_t at = place_of(token, tag);
    if (token->all_tags || stands_at(token, at, tag))
        return;
    if (token->tag_count == SDI_TOKEN_TAGS_MAX) {
        token->all_tags = true;
        token->tag_count = 0;
        return;
    }
    memmove(token->tags + at + 1, token->tags + at, (token->tag_count - at) * sizeof *token->tags);
    token->tags[at] = tag;
    token->tag_count++;
}

void sdi_token_drop_tag(sdi_token *token, uint64_t tag)
{
    size_t at = place_of(token, tag);
    if (!stands_at(token, at, tag))
        return;
    token->tag_count--;
    memmove(token->tags + at, token->tags + at + 1, (token->tag_count - at) * sizeof *token->tags);
}

bool sdi_token_has_tag(const sdi_token *token, uint64_t tag)
{
    return token->all_tags || stands_at(token, place_of(token, tag), tag);
}

/* --------------------------------------------------------------------------------------------------------- merging */

/* What a primary of a later timeline says is behind all that was not lost. A standby of it may have to catch up yet. */
static void reach(sdi_token *token, sdi_era era, sdi_lsn lsn, bool of_primary)
{
    if (!sdi_era_known(era) || lsn == 0)
        return;
    bool newer = era.timeline > token->era.timeline;
    if (newer)
        token->era = era;
    if (lsn > token->reached || (newer && of_primary))
        token->reached = lsn;
}

void sdi_token_saw_until(sdi_token *token, sdi_era era, sdi_lsn lsn)
{
    reach(token, era, lsn, false);
}

void sdi_token_saw(sdi_token *token, const sdi_stamp *stamp)
{
    reach(token, stamp->era, stamp->seen, !stamp->standby);
}

static void write_point(sdi_token *token, const sdi_point *point)
{
    uint32_t timeline = token->written.era.timeline;
    if (token->wrote && point->era.timeline == timeline)
        token->unknown |= !sdi_point_merge(&token->written, point);
    else if (!token->wrote || point->era.timeline > timeline)
        token->written = *point;
    token->wrote = true;
}

void sdi_token_wrote(sdi_token *token, const sdi_point *point)
{
    reach(token, point->era, point->lsn, true);
    write_point(token, point);
}

void sdi_token_merge(sdi_token *token, const sdi_token *other)
{
    reach(token, other->era, other->reached, false);
    if (other->wrote)
        write_point(token, &other->written);
    token->unknown |= other->unknown;
    for (size_t i = 0; i < other->tag_count; i++)
        sdi_token_add_tag(token, other->tags[i]);
    if (other->all_tags) {
        token->all_tags = true;
        token->tag_count = 0;
    }
}

/* -------------------------------------------------------------------------------------------------------- encoding */

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void put_number(sdi_buffer *body, uint64_t number)
{
    for (; number > 127; number >>= 7)
        sdi_buffer_char(body, (char)((number & 127) | 128));
    sdi_buffer_char(body, (char)number);
}

static void put_point(sdi_buffer *body, const sdi_point *point)
{
    const sdi_snapshot *snapshot = &point->snapshot;
    uint64_t before = snapshot->xmin;
    put_number(body, point->era.timeline);
    put_number(body, point->lsn);
    put_number(body, point->flush);
    put_number(body, snapshot->xmin);
    put_number(body, snapshot->xmax - snapshot->xmin);
    put_number(body, snapshot->count);
    for (uint32_t i = 0; i < snapshot->count; i++) {
        put_number(body, snapshot->running[i] - before);
        before = snapshot->running[i];
    }
}

static void put_body(sdi_buffer *body, const sdi_token *token)
{
    int flags = (token->wrote ? WROTE : 0) | (token->unknown ? UNKNOWN : 0) | (token->all_tags ? ALL_TAGS : 0);
    sdi_buffer_char(body, (char)flags);
    sdi_wire_u64(body, token->era.system);
    put_number(body, token->era.timeline);
    put_number(body, token->reached);
    if (token->wrote)
        put_point(body, &token->written);
    put_number(body, token->tag_count);
    for (size_t i = 0; i < token->tag_count; i++)
        sdi_wire_u64(body, token->tags[i]);
}

static bool sign(sdi_slice text, const sdi_token_key *key, unsigned char mac[HASH_BYTES])
{
    sdi_buffer message = SDI_BUFFER_INIT;
    sdi_buffer_text(&message, purpose);
    sdi_buffer_append(&message, text.data, text.length);
    bool made = !message.failed && HMAC(EVP_sha256(), key->secret.data, (int)key->secret.length,
                                        (const unsigned char *)message.data, message.length, mac, NULL);
    sdi_buffer_free(&message);
    return made;
}

void sdi_token_encode(const sdi_token *token, const sdi_token_keys *keys, sdi_buffer *text)
{
    size_t begin = text->length;
    unsigned char mac[HASH_BYTES];
    sdi_buffer body = SDI_BUFFER_INIT;
    put_body(&body, token);
    sdi_buffer_char(text, VERSION);
    sdi_base64_encode(body.data, body.length, text);
    text->failed |= body.failed;
    sdi_buffer_free(&body);
    if (!keys->count)
        return;
    sdi_buffer_char(text, '.');
    sdi_buffer_append(text, keys->keys[0].id.data, keys->keys[0].id.length);
    text->failed = text->failed || !sign((sdi_slice){text->data + begin, text->length - begin}, &keys->keys[0], mac);
    sdi_buffer_char(text, '.');
    sdi_base64_encode(mac, MAC_BYTES, text);
}

/* -------------------------------------------------------------------------------------------------------- decoding */

typedef struct reader {
    const unsigned char *at, *end;
    bool failed;
} reader;

static uint64_t get_byte(reader *in)
{
    in->failed |= in->at == in->end;
    return in->failed ? 0 : *in->at++;
}

/* A number has one form only: none that ends in zeros, none over 64 bits. */
static uint64_t get_number(reader *in)
{
    uint64_t number = 0, byte;
    unsigned shift = 0;
    do {
        byte = get_byte(in);
        in->failed |= shift > 63 || (shift == 63 && byte > 1) || (shift && byte == 0);
        number |= in->failed ? 0 : (byte & 127) << shift;
        shift += 7;
    } while (byte & 128 && !in->failed);
    return number;
}

static uint64_t get_u64(reader *in)
{
    if (in->end - in->at < 8) {
        in->failed = true;
        return 0;
    }
    in->at += 8;
    return sdi_read_u64(in->at - 8);
}

static uint32_t get_timeline(reader *in)
{
    uint64_t timeline = get_number(in);
    in->failed |= timeline > UINT32_MAX;
    return (uint32_t)timeline;
}

/* As a primary would tell it: ascending, none below xmin, all below xmax. */
static void get_snapshot(reader *in, sdi_snapshot *snapshot)
{
    uint64_t length, count;
    snapshot->xmin = get_number(in);
    length = get_number(in);
    count = get_number(in);
    in->failed |= length > UINT64_MAX - snapshot->xmin || count > SDI_SNAPSHOT_RUNNING_MAX || count > length;
    snapshot->xmax = snapshot->xmin + length;
    uint64_t before = snapshot->xmin;
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t step = get_number(in);
        in->failed |= step >= snapshot->xmax - before || (i && step == 0);
        before += step;
        snapshot->running[snapshot->count++] = before;
    }
}

static void get_point(reader *in, uint64_t system, sdi_point *point)
{
    point->era = (sdi_era){system, get_timeline(in)};
    point->lsn = get_number(in);
    point->flush = get_number(in);
    get_snapshot(in, &point->snapshot);
    in->failed |= !sdi_era_known(point->era);
}

static void get_tags(reader *in, sdi_token *token)
{
    uint64_t count = get_number(in);
    in->failed |= count > (token->all_tags ? 0 : SDI_TOKEN_TAGS_MAX);
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t tag = get_u64(in);
        in->failed |= i && tag <= token->tags[i - 1];
        token->tags[token->tag_count++] = tag;
    }
}

static bool get_body(sdi_slice bytes, sdi_token *token)
{
    reader in = {(const unsigned char *)bytes.data, (const unsigned char *)bytes.data + bytes.length, false};
    uint64_t flags = get_byte(&in);
    token->wrote = flags & WROTE;
    token->unknown = flags & UNKNOWN;
    token->all_tags = flags & ALL_TAGS;
    token->era.system = get_u64(&in);
    token->era.timeline = get_timeline(&in);
    token->reached = get_number(&in);
    if (token->wrote)
        get_point(&in, token->era.system, &token->written);
    get_tags(&in, token);
    return !in.failed && in.at == in.end && flags <= FLAGS && (token->reached == 0 || sdi_era_known(token->era));
}

/* Takes what stands behind the last dot off the text. */
static bool cut_last(sdi_slice *text, sdi_slice *last)
{
    const char *dot = memrchr(text->data, '.', text->length);
    if (!dot)
        return false;
    size_t length = (size_t)(dot - text->data);
    *last = (sdi_slice){dot + 1, text->length - length - 1};
    text->length = length;
    return true;
}

static enum sdi_token_fault verify(sdi_slice signed_text, sdi_slice id, sdi_slice mac, const sdi_token_keys *keys)
{
    unsigned char right[HASH_BYTES];
    sdi_buffer given = SDI_BUFFER_INIT;
    const sdi_token_key *key = sdi_token_keys_find(keys, id);
    enum sdi_token_fault fault = SDI_TOKEN_BAD_SIGNATURE;
    if (!key)
        return SDI_TOKEN_UNKNOWN_KEY;
    bool readable = sdi_base64_decode(mac, &given);
    if (given.failed || !sign(signed_text, key, right))
        fault = SDI_TOKEN_NO_MEMORY;
    else if (readable && given.length == MAC_BYTES && CRYPTO_memcmp(given.data, right, MAC_BYTES) == 0)
        fault = SDI_TOKEN_GOOD;
    sdi_buffer_free(&given);
    return fault;
}

/* Leaves the version and the body in *text. */
static enum sdi_token_fault check_signature(sdi_slice *text, const sdi_token_keys *keys)
{
    sdi_slice whole = *text, id, mac;
    if (!cut_last(text, &mac))
        return keys->count ? SDI_TOKEN_UNSIGNED : SDI_TOKEN_GOOD;
    sdi_slice signed_text = *text;
    if (!cut_last(text, &id) || mac.length == 0 || whole.data == id.data)
        return SDI_TOKEN_MALFORMED;
    return keys->count ? verify(signed_text, id, mac, keys) : SDI_TOKEN_GOOD;
}

enum sdi_token_fault sdi_token_decode(sdi_slice text, const sdi_token_keys *keys, sdi_token *token_out)
{
    sdi_token token = {0};
    sdi_buffer body = SDI_BUFFER_INIT;
    if (text.length > SDI_TOKEN_TEXT_MAX)
        return SDI_TOKEN_TOO_LONG;
    if (text.length < 2)
        return SDI_TOKEN_MALFORMED;
    if (text.data[0] != VERSION)
        return SDI_TOKEN_VERSION;
    enum sdi_token_fault fault = check_signature(&text, keys);
    if (fault != SDI_TOKEN_GOOD)
        return fault;
    bool good = sdi_base64_decode((sdi_slice){text.data + 1, text.length - 1}, &body) &&
                get_body((sdi_slice){body.data, body.length}, &token);
    fault = body.failed ? SDI_TOKEN_NO_MEMORY : good ? SDI_TOKEN_GOOD : SDI_TOKEN_MALFORMED;
    sdi_buffer_free(&body);
    if (fault == SDI_TOKEN_GOOD)
        *token_out = token;
    return fault;
}
