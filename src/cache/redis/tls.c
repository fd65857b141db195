#include "cache/redis/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/forking.h"
#include "base/memory.h"
#include "cache/redis/socket.h"
#include "cache/socket.h"

struct sdi_redis_tls {
    SSL_CTX *context;
    BIO_METHOD *way;
    char *server_name; /* "": the host of the address */
};

/* The way between OpenSSL and the socket. Its own one uses write(2), which answers a closed connection with SIGPIPE:
 * the signals of the process are not ours to change. */
static int way_write(BIO *bio, const char *bytes, int length)
{
    BIO_clear_retry_flags(bio);
    ssize_t count = send((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)length, MSG_NOSIGNAL);
    if (count < 0 && sdi_socket_would_block())
        BIO_set_retry_write(bio);
    return (int)count;
}

static int way_read(BIO *bio, char *bytes, int size)
{
    BIO_clear_retry_flags(bio);
    ssize_t count = recv((int)(intptr_t)BIO_get_data(bio), bytes, (size_t)size, 0);
    if (count < 0 && sdi_socket_would_block())
        BIO_set_retry_read(bio);
    return (int)count;
}

static long way_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* nothing is held back here */
}

static BIO_METHOD *new_way(void)
{
    BIO_METHOD *way = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket without signals");
    if (!way)
        return NULL;
    BIO_meth_set_write(way, way_write);
    BIO_meth_set_read(way, way_read);
    BIO_meth_set_ctrl(way, way_control);
    return way;
}

/* Why the last call failed. The queue of errors belongs to the thread, and the application may use OpenSSL too: it is
 * cleared before each call and after. */
static const char *reason(void)
{
    unsigned long code = ERR_peek_last_error();
    if (ERR_SYSTEM_ERROR(code))
        return strerrordesc_np(ERR_GET_REASON(code));
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    return text ? text : "the connection was closed";
}

static int refuse_file(shopdata_error **error_out, const char *key, const char *file)
{
    unsigned long code = ERR_peek_error(); /* the first one is the cause; a missing file is wrapped by later ones */
    const char *why = ERR_SYSTEM_ERROR(code) ? strerrordesc_np(ERR_GET_REASON(code)) : ERR_reason_error_string(code);
    int status = sdi_fail(error_out, SHOPDATA_ERR_CONFIG, "cache.%s: `%s` cannot be used: %s; name a readable PEM file",
                          key, file, why ? why : "unknown reason");
    ERR_clear_error();
    return status;
}

static int take_trust(SSL_CTX *context, const char *file, shopdata_error **error_out)
{
    if (!*file ? SSL_CTX_set_default_verify_paths(context) : SSL_CTX_load_verify_file(context, file))
        return SHOPDATA_OK;
    return refuse_file(error_out, "tls_ca_file", file);
}

static int take_certificate(SSL_CTX *context, const sdi_cache_settings *settings, shopdata_error **error_out)
{
    if (!*settings->tls_cert_file)
        return SHOPDATA_OK;
    if (SSL_CTX_use_certificate_chain_file(context, settings->tls_cert_file) != 1)
        return refuse_file(error_out, "tls_cert_file", settings->tls_cert_file);
    if (SSL_CTX_use_PrivateKey_file(context, settings->tls_key_file, SSL_FILETYPE_PEM) != 1)
        return refuse_file(error_out, "tls_key_file", settings->tls_key_file);
    return SHOPDATA_OK;
}

/* Without it OpenSSL would ask for the passphrase of a key on the terminal. */
static int no_passphrase(char *text, int size, int writing, void *unused)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)unused;
    return -1;
}

static int fill_context(sdi_redis_tls *tls, const sdi_cache_settings *settings, shopdata_error **error_out)
{
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(tls->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    int status = take_trust(tls->context, settings->tls_ca_file, error_out);
    return status ? status : take_certificate(tls->context, settings, error_out);
}

int sdi_redis_tls_new(const sdi_cache_settings *settings, sdi_redis_tls **tls_out, shopdata_error **error_out)
{
    sdi_redis_tls *tls = sdi_calloc(1, sizeof *tls);
    if (!tls)
        return sdi_no_memory(error_out);
    ERR_clear_error();
    tls->context = SSL_CTX_new(TLS_client_method());
    tls->way = new_way();
    tls->server_name = sdi_strdup(settings->tls_server_name);
    bool made = tls->context && tls->way && tls->server_name;
    int status = made ? fill_context(tls, settings, error_out) : sdi_no_memory(error_out);
    if (status)
        sdi_redis_tls_free(tls);
    else
        *tls_out = tls;
    return status;
}

void sdi_redis_tls_free(sdi_redis_tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    BIO_meth_free(tls->way);
    sdi_free(tls->server_name);
    sdi_free(tls);
}

static bool is_ip(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* Whom the certificate must name. An IP address is compared with the certificate's IP addresses, and is no SNI. */
static bool expect_name(SSL *ssl, const char *name)
{
    if (is_ip(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

static SSL *new_session(const sdi_redis_tls *tls, int fd, const char *name)
{
    sdi_unforkable();
    SSL *ssl = SSL_new(tls->context);
    sdi_forkable();
    BIO *bio = ssl ? BIO_new(tls->way) : NULL;
    if (bio) {
        BIO_set_data(bio, (void *)(intptr_t)fd);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl, bio, bio);
        if (expect_name(ssl, name))
            return ssl;
    }
    SSL_free(ssl);
    return NULL;
}

/* After a call that did not succeed: what poll is to wait for before the next try; 0 if there is none. */
static short waits_of(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);
    return error == SSL_ERROR_WANT_READ ? POLLIN : error == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
}

static int tell_handshake(const SSL *ssl, const char *name, sdi_redis_trouble *trouble)
{
    long verdict = SSL_get_verify_result(ssl);
    int outcome = SDI_CACHE_FAULT_CONNECT;
    if (verdict != X509_V_OK)
        sdi_redis_tell(trouble, outcome, "TLS: the server's certificate, expected for %s, is refused: %s", name,
                       X509_verify_cert_error_string(verdict));
    else
        sdi_redis_tell(trouble, outcome, "TLS: no handshake: %s", reason());
    ERR_clear_error();
    return outcome;
}

static int shake_hands(SSL *ssl, int fd, const char *name, int64_t deadline, sdi_redis_trouble *trouble)
{
    for (;;) {
        ERR_clear_error();
        sdi_unforkable();
        int result = SSL_connect(ssl);
        sdi_forkable();
        if (result == 1)
            return SDI_REDIS_DONE;
        short waits = waits_of(ssl, result);
        if (!waits)
            return tell_handshake(ssl, name, trouble);
        if (!sdi_redis_socket_wait(fd, waits, deadline))
            return sdi_redis_tell(trouble, SDI_CACHE_FAULT_TIMEOUT, "TLS: no handshake in time");
    }
}

int sdi_redis_tls_begin(const sdi_redis_tls *tls, int fd, const char *host, int64_t deadline, SSL **ssl_out,
                        sdi_redis_trouble *trouble)
{
    const char *name = *tls->server_name ? tls->server_name : host;
    SSL *ssl = new_session(tls, fd, name);
    if (!ssl) {
        ERR_clear_error();
        return SDI_REDIS_NO_MEMORY;
    }
    int outcome = shake_hands(ssl, fd, name, deadline, trouble);
    if (outcome == SDI_REDIS_DONE)
        *ssl_out = ssl;
    else
        SSL_free(ssl);
    return outcome;
}

void sdi_redis_tls_end(SSL *ssl)
{
    SSL_free(ssl);
}

static int at_most(size_t length)
{
    return length < INT_MAX ? (int)length : INT_MAX;
}

/* What a send or receive that moved nothing means. A client certificate that the server wants and does not get, or
 * refuses, is heard of here: under TLS 1.3 the handshake is over by then. */
static ssize_t moved_nothing(SSL *ssl, int result, short *waits, sdi_redis_trouble *trouble)
{
    *waits = waits_of(ssl, result);
    if (*waits)
        return 0;
    sdi_redis_tell(trouble, 0, "TLS: the connection was lost: %s", reason());
    ERR_clear_error();
    return -1;
}

ssize_t sdi_redis_tls_send(SSL *ssl, const char *bytes, size_t length, short *waits, sdi_redis_trouble *trouble)
{
    *waits = POLLOUT;
    ERR_clear_error();
    int count = SSL_write(ssl, bytes, at_most(length));
    return count > 0 ? count : moved_nothing(ssl, count, waits, trouble);
}

ssize_t sdi_redis_tls_receive(SSL *ssl, char *bytes, size_t size, short *waits, sdi_redis_trouble *trouble)
{
    *waits = POLLIN;
    ERR_clear_error();
    int count = SSL_read(ssl, bytes, at_most(size));
    return count > 0 ? count : moved_nothing(ssl, count, waits, trouble);
}

/* Reads what is TLS's own: session tickets come unasked after a handshake and are no noise. */
bool sdi_redis_tls_is_quiet(SSL *ssl)
{
    char byte;
    ERR_clear_error();
    int count = SSL_peek(ssl, &byte, 1);
    bool quiet = count <= 0 && waits_of(ssl, count) == POLLIN;
    ERR_clear_error();
    return quiet;
}
