/* tls.h - OpenSSL over a socket of ours: TLS 1.2 or newer, the server's certificate and name always checked. */
#ifndef SDI_CACHE_REDIS_TLS_H
#define SDI_CACHE_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cache/redis/outcome.h"
#include "model/settings.h"

struct ssl_st;

/* What all connections share: whom to trust, who we are. Thread safe. */
typedef struct sdi_redis_tls sdi_redis_tls;

/* sdi_redis_tls_new reads the files that the settings name; SHOPDATA_ERR_CONFIG tells key and file of one that is no
 * good. */
int sdi_redis_tls_new(const sdi_cache_settings *settings, sdi_redis_tls **tls_out, shopdata_error **error_out);
void sdi_redis_tls_free(sdi_redis_tls *tls);

/* sdi_redis_tls_begin shakes hands on a connected socket. `host` is the name that the certificate must have, unless the
 * settings name another. SDI_REDIS_DONE, or a fault with the trouble told. */
int sdi_redis_tls_begin(const sdi_redis_tls *tls, int fd, const char *host, int64_t deadline, struct ssl_st **ssl_out,
                        sdi_redis_trouble *trouble);
/* sdi_redis_tls_end frees without a word; NULL is nothing to free. */
void sdi_redis_tls_end(struct ssl_st *ssl);
/* sdi_redis_tls_send, _receive: as sdi_redis_transport_send; *waits gets what poll is to wait for before the next try.
 */
ssize_t sdi_redis_tls_send(struct ssl_st *ssl, const char *bytes, size_t length, short *waits,
                           sdi_redis_trouble *trouble);
ssize_t sdi_redis_tls_receive(struct ssl_st *ssl, char *bytes, size_t size, short *waits, sdi_redis_trouble *trouble);
bool sdi_redis_tls_is_quiet(struct ssl_st *ssl);

#endif
