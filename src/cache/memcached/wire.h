/* wire.h - memcached's text protocol: requests as bytes, bytes as answers. No I/O.
 *
 * Text and not binary: every server and proxy knows it (the binary protocol is deprecated), and requests can be
 * pipelined just as well: answers come in order. What binary has besides, a delete that carries a CAS, is here a cas
 * whose value has expired when it is stored. */
#ifndef SDI_CACHE_MEMCACHED_WIRE_H
#define SDI_CACHE_MEMCACHED_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum {
    SDI_MEMCACHED_KEY_MAX = 250,
    SDI_MEMCACHED_KEY_HASHED = 33,
    /* The largest lifetime in seconds; a larger number would be a moment of the server's clock. */
    SDI_MEMCACHED_TTL_MAX = 30 * 24 * 60 * 60,
    SDI_MEMCACHED_EXPIRED = -1,
};

/* sdi_memcached_key appends `key` as the server takes it: as it is behind `prefix`, or, where that would be too long or
 * has blanks or control bytes, `~` and 128 bits of hash. Two keys may share a hash: entries carry their identity, and a
 * fence that two tags share only moves for both. */
void sdi_memcached_key(sdi_buffer *out, const char *prefix, sdi_slice key);

/* The server counts seconds, and a lifetime of n ends between n-1 and n seconds after: its clock ticks once a second.
 * sdi_memcached_shorter is the lifetime that is over by then, SDI_MEMCACHED_EXPIRED if none is (under a second);
 * sdi_memcached_longer the one that is not, 0 (no end) if none is. */
int64_t sdi_memcached_shorter(int64_t ttl_ms);
int64_t sdi_memcached_longer(int64_t ttl_ms);

enum sdi_memcached_verb {
    SDI_MEMCACHED_GET,
    SDI_MEMCACHED_GETS, /* with the number that a cas wants */
    SDI_MEMCACHED_SET,
    SDI_MEMCACHED_ADD,
    SDI_MEMCACHED_CAS,
    SDI_MEMCACHED_DELETE,
    SDI_MEMCACHED_CONFIG, /* what ElastiCache's endpoints know of themselves; the key names the configuration */
};

enum sdi_memcached_answer_kind {
    SDI_MEMCACHED_NOTHING, /* none came */
    SDI_MEMCACHED_VALUE,
    SDI_MEMCACHED_MISSING, /* of a get; NOT_FOUND of a cas or a delete */
    SDI_MEMCACHED_STORED,  /* DELETED too */
    SDI_MEMCACHED_TAKEN,   /* EXISTS, NOT_STORED: another was there first */
    SDI_MEMCACHED_REFUSED, /* the server cannot: SERVER_ERROR */
};

typedef struct sdi_memcached_request sdi_memcached_request;
struct sdi_memcached_request {
    enum sdi_memcached_verb verb;
    sdi_slice key; /* of sdi_memcached_key */
    sdi_slice value;
    int64_t lifetime; /* seconds */
    uint64_t cas;     /* what a CAS expects; what a GETS got */
    size_t server;
    size_t headroom; /* before the block's value */
    bool follows;    /* of GETs: it is asked in one command with the request before it */
    bool more;       /* and so is the one behind it: one END stands behind all their values */
    /* out */
    enum sdi_memcached_answer_kind answer;
    char *block; /* of a VALUE: from sdi_malloc, the caller's; a zero byte behind it */
    size_t length;
    sdi_memcached_request *next; /* on its link */
};

void sdi_memcached_format(sdi_buffer *out, const sdi_memcached_request *request);

typedef struct sdi_memcached_answer {
    enum sdi_memcached_answer_kind kind;
    sdi_slice value; /* in the bytes */
    uint64_t cas;
    size_t length; /* of the answer; while it is incomplete, how many bytes are needed to go on */
} sdi_memcached_answer;

enum sdi_memcached_parsed {
    SDI_MEMCACHED_COMPLETE,
    SDI_MEMCACHED_INCOMPLETE,
    SDI_MEMCACHED_MALFORMED,
    SDI_MEMCACHED_ERROR, /* the server did not understand: what it makes of further bytes is unknown */
};

/* sdi_memcached_value_key: of which key is the value that the bytes begin with? Nothing where that is no value, or not
 * known yet. */
sdi_slice sdi_memcached_value_key(sdi_slice bytes);

/* sdi_memcached_parse reads the answer to `request` at the beginning of the bytes. A value of another key, of more than
 * `value_max` bytes, or an answer that this request cannot have is malformed. */
enum sdi_memcached_parsed sdi_memcached_parse(const sdi_memcached_request *request, sdi_slice bytes, size_t value_max,
                                              sdi_memcached_answer *answer_out);

#endif
