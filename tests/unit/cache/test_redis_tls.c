/* TLS to the cache: who is trusted, what is told when a handshake fails, and deadlines, by a server that speaks TLS as
 * badly as it is told. Its certificates are made here. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../support/caches.h"
#include "../unit.h"
#include "base/clock.h"
#include "base/memory.h"
#include "greeting.h"

enum { DAY = 86400, TIMEOUT_MS = 300 };

typedef struct identity {
    EVP_PKEY *key;
    X509 *certificate;
} identity;

static struct {
    pthread_t thread;
    int socket;
    SSL_CTX *context; /* NULL: accepts and says nothing */
    bool drips;       /* sends byte by byte, a record each */
    bool hangs_up;    /* closes after the greeting */
} server;

static identity authority, stranger;
static char directory[] = "/tmp/shopdata-tls-XXXXXX";
static char ca_file[64], stranger_file[64], cert_file[64], key_file[64];
static sdi_address where = {.host = "127.0.0.1"};
static sdi_cache_settings settings;
static sdi_metrics *metrics;
static sdi_cache *cache;

/* A certificate for these names, signed by `issuer`, that ends so many seconds from now. Without an issuer it is an
 * authority of that name. */
static identity make(const identity *issuer, const char *names, long ends)
{
    identity made = {EVP_EC_gen("P-256"), X509_new()};
    X509_set_version(made.certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), random());
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), -2 * DAY);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), ends);
    X509_set_pubkey(made.certificate, made.key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)names, -1, -1, 0);
    X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer ? issuer->certificate : made.certificate));
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, issuer ? NID_subject_alt_name : NID_basic_constraints,
                                                    issuer ? names : "critical,CA:TRUE");
    ck_assert_ptr_nonnull(extension);
    X509_add_ext(made.certificate, extension, -1);
    X509_EXTENSION_free(extension);
    ck_assert_int_gt(X509_sign(made.certificate, issuer ? issuer->key : made.key, EVP_sha256()), 0);
    return made;
}

static void drop(identity *gone)
{
    X509_free(gone->certificate);
    EVP_PKEY_free(gone->key);
}

static const char *path(char *room, const char *name)
{
    snprintf(room, 64, "%s/%s", directory, name);
    return room;
}

static void write_certificate(const char *file, const identity *written)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(PEM_write_X509(out, written->certificate), 1);
    fclose(out);
}

static void write_key(const char *file, const identity *written)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(PEM_write_PrivateKey(out, written->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(out);
}

static void write_text(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

/* Skips an argument's bytes; they may hold line ends. */
static bool skip(BIO *in, long left)
{
    char bytes[4096];
    while (left > 0) {
        int count = BIO_read(in, bytes, left < (long)sizeof bytes ? (int)left : (int)sizeof bytes);
        if (count <= 0)
            return false;
        left -= count;
    }
    return true;
}

/* Reads a command; false when the client is gone. */
static bool read_command(BIO *in)
{
    char line[64];
    if (BIO_gets(in, line, sizeof line) <= 0)
        return false;
    for (long left = strtol(line + 1, NULL, 10); left > 0; left--)
        if (BIO_gets(in, line, sizeof line) <= 0 || !skip(in, strtol(line + 1, NULL, 10) + 2))
            return false;
    return true;
}

static void say(SSL *ssl, const char *text)
{
    size_t piece = server.drips ? 1 : strlen(text);
    for (size_t at = 0; text[at]; at += piece)
        if (SSL_write(ssl, text + at, (int)piece) <= 0)
            return;
}

static void talk(SSL *ssl)
{
    BIO *in = BIO_push(BIO_new(BIO_f_buffer()), BIO_new(BIO_f_ssl()));
    BIO_set_ssl(BIO_next(in), ssl, BIO_NOCLOSE);
    for (int i = 0; i < GREETING_COMMANDS; i++)
        read_command(in);
    say(ssl, GREETING);
    while (!server.hangs_up && read_command(in) && read_command(in))
        say(ssl, VALUE ":0\r\n"); /* the second one asks whether it is a primary */
    BIO_free_all(in);
}

static void meet(int fd)
{
    char bytes[256];
    if (!server.context) {
        while (read(fd, bytes, sizeof bytes) > 0)
            continue;
        return;
    }
    SSL *ssl = SSL_new(server.context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1)
        talk(ssl);
    shutdown(fd, SHUT_WR); /* closing with bytes unread would reset the connection, and the alert be lost */
    while (read(fd, bytes, sizeof bytes) > 0)
        continue;
    SSL_free(ssl);
}

/* OpenSSL's own way to a socket raises SIGPIPE, which this thread, and no other, is spared. */
static void *serve(void *unused)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    for (int fd; (fd = accept(server.socket, NULL, NULL)) >= 0; close(fd))
        meet(fd);
    return unused;
}

/* Serves with a certificate for these names; NULL: accepts and says nothing. */
static void begin(const char *names, long ends)
{
    server.context = NULL;
    if (names) {
        identity leaf = make(&authority, names, ends);
        server.context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate(server.context, leaf.certificate);
        SSL_CTX_use_PrivateKey(server.context, leaf.key);
        drop(&leaf);
    }
    server.socket = caches_listen(&where.port);
}

static void want_client_certificate(void)
{
    ck_assert_int_eq(SSL_CTX_load_verify_locations(server.context, ca_file, NULL), 1);
    SSL_CTX_set_verify(server.context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

static void connect_to_it(void)
{
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, NULL), 0);
    cache = caches_open(&settings, &metrics);
}

static void end(void)
{
    caches_close(cache, metrics);
    shutdown(server.socket, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.socket);
    SSL_CTX_free(server.context);
}

static bool get(void)
{
    sdi_cache_op operation = {.verb = SDI_CACHE_GET, .key = sdi_slice_of("key")};
    bool done = sdi_cache_run(cache, &operation, 1, SDI_NEVER);
    if (operation.found)
        ck_assert_str_eq(operation.block, "hello");
    sdi_free(operation.block);
    return done;
}

static void check_trouble(const char *expected, enum sdi_cache_fault fault)
{
    sdi_buffer trouble = SDI_BUFFER_INIT;
    sdi_cache_trouble(cache, &trouble);
    ck_assert_ptr_nonnull(trouble.data);
    ck_assert_msg(strstr(trouble.data, expected) != NULL, "%s", trouble.data);
    ck_assert_ptr_null(strchr(trouble.data, '\n'));
    ck_assert_int_eq(strncmp(trouble.data, "127.0.0.1:", 10), 0);
    sdi_buffer_free(&trouble);
    ck_assert_uint_eq(sdi_counted(metrics, SDI_M_CACHE_ERRORS, fault), 1);
}

static void check_refused(const char *expected)
{
    connect_to_it();
    ck_assert(!get());
    check_trouble(expected, SDI_CACHE_FAULT_CONNECT);
    end();
}

START_TEST(an_ip_address_in_the_certificate_will_do)
{
    begin("IP:127.0.0.1", DAY);
    connect_to_it();
    for (int i = 0; i < 3; i++)
        ck_assert(get());
    end();
}
END_TEST

START_TEST(a_name_that_was_set_is_expected_instead)
{
    settings.tls_server_name = "cache.internal";
    begin("DNS:other.internal,DNS:cache.internal", DAY);
    connect_to_it();
    ck_assert(get());
    end();
}
END_TEST

START_TEST(a_wrong_name_is_told)
{
    begin("IP:127.0.0.2,DNS:127.0.0.1,DNS:localhost", DAY);
    check_refused("expected for 127.0.0.1, is refused: IP address mismatch");
    settings.tls_server_name = "cache.internal";
    begin("DNS:other.internal", DAY);
    check_refused("expected for cache.internal, is refused: hostname mismatch");
}
END_TEST

START_TEST(a_wrong_authority_is_told)
{
    settings.tls_ca_file = stranger_file;
    begin("IP:127.0.0.1", DAY);
    check_refused("is refused: unable to get local issuer certificate");
    settings.tls_ca_file = "";
    begin("IP:127.0.0.1", DAY);
    check_refused("is refused: unable to get local issuer certificate");
}
END_TEST

START_TEST(an_expired_certificate_is_told)
{
    begin("IP:127.0.0.1", -DAY);
    check_refused("is refused: certificate has expired");
}
END_TEST

START_TEST(an_old_protocol_is_refused)
{
    begin("IP:127.0.0.1", DAY);
    SSL_CTX_set_min_proto_version(server.context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(server.context, TLS1_1_VERSION);
    SSL_CTX_set_security_level(server.context, 0);
    check_refused("TLS: no handshake: ");
}
END_TEST

START_TEST(a_client_certificate_that_is_wanted_and_missing_is_told)
{
    begin("IP:127.0.0.1", DAY);
    want_client_certificate();
    connect_to_it();
    ck_assert(!get());
    check_trouble("alert certificate required", SDI_CACHE_FAULT_LOST);
    end();
}
END_TEST

START_TEST(an_expired_client_certificate_is_told)
{
    identity expired = make(&authority, "DNS:client", -DAY);
    write_certificate(cert_file, &expired);
    write_key(key_file, &expired);
    drop(&expired);
    settings.tls_cert_file = cert_file;
    settings.tls_key_file = key_file;
    begin("IP:127.0.0.1", DAY);
    want_client_certificate();
    connect_to_it();
    ck_assert(!get());
    check_trouble("alert certificate expired", SDI_CACHE_FAULT_LOST);
    end();
}
END_TEST

START_TEST(a_client_certificate_is_shown)
{
    identity client = make(&authority, "DNS:client", DAY);
    write_certificate(cert_file, &client);
    write_key(key_file, &client);
    drop(&client);
    settings.tls_cert_file = cert_file;
    settings.tls_key_file = key_file;
    begin("IP:127.0.0.1", DAY);
    want_client_certificate();
    connect_to_it();
    ck_assert(get());
    end();
}
END_TEST

START_TEST(who_accepts_and_says_nothing_is_a_timeout)
{
    begin(NULL, 0);
    connect_to_it();
    int64_t begun = sdi_now();
    ck_assert(!get());
    ck_assert_int_lt(sdi_now() - begun, (TIMEOUT_MS + UNIT_BUSY_MS) * 1000);
    check_trouble("TLS: no handshake in time", SDI_CACHE_FAULT_TIMEOUT);
    end();
}
END_TEST

START_TEST(replies_may_come_byte_by_byte)
{
    server.drips = true;
    begin("IP:127.0.0.1", DAY);
    connect_to_it();
    for (int i = 0; i < 5; i++)
        ck_assert(get());
    end();
}
END_TEST

/* Would end the program, were it sent. */
START_TEST(a_server_that_goes_raises_no_signal)
{
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_DFL);
    server.hangs_up = true;
    begin("IP:127.0.0.1", DAY);
    connect_to_it();
    static char big[1 << 20];
    sdi_cache_op operation = {
        .verb = SDI_CACHE_SET, .key = sdi_slice_of("key"), .value = {big, sizeof big}, .ttl_ms = 1};
    ck_assert(!sdi_cache_run(cache, &operation, 1, SDI_NEVER));
    end();
}
END_TEST

static void check_config_fault(const char *key, const char *file, const char *why)
{
    shopdata_error *error = NULL;
    char expected[200];
    sdi_cache *none = NULL;
    ck_assert_int_eq(sdi_cache_open(&settings, NULL, &none, &error), SHOPDATA_ERR_CONFIG);
    snprintf(expected, sizeof expected, "cache.%s: `%s` cannot be used: ", key, file);
    ck_assert_msg(!strncmp(shopdata_error_message(error), expected, strlen(expected)), "%s",
                  shopdata_error_message(error));
    ck_assert_msg(strstr(shopdata_error_message(error), why) != NULL, "%s", shopdata_error_message(error));
    ck_assert_ptr_null(none);
    shopdata_error_free(error);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(a_bad_file_is_told_at_open)
{
    char missing[64], rubbish[64];
    identity client = make(&authority, "DNS:client", DAY);
    write_certificate(cert_file, &client);
    write_key(key_file, &authority);
    write_text(path(rubbish, "rubbish"), "not a certificate\n");
    drop(&client);
    settings.tls_ca_file = path(missing, "missing");
    check_config_fault("tls_ca_file", missing, "No such file or directory");
    settings.tls_ca_file = rubbish;
    check_config_fault("tls_ca_file", rubbish, "no certificate or crl found");
    settings.tls_ca_file = ca_file;
    settings.tls_cert_file = missing;
    check_config_fault("tls_cert_file", missing, "No such file or directory");
    settings.tls_cert_file = cert_file;
    settings.tls_key_file = rubbish;
    check_config_fault("tls_key_file", rubbish, "");
    settings.tls_key_file = key_file;
    check_config_fault("tls_key_file", key_file, "key values mismatch");
}
END_TEST

static void set_up(void)
{
    server.drips = server.hangs_up = false;
    settings = caches_settings(SDI_CACHE_REDIS);
    settings.addresses = &where;
    settings.address_count = 1;
    settings.key_prefix = "shop";
    settings.tls = true;
    settings.tls_ca_file = ca_file;
    settings.connect_timeout_ms = TIMEOUT_MS;
    settings.timeout_ms = 2 * TIMEOUT_MS;
}

static void make_authorities(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    authority = make(NULL, "authority", DAY);
    stranger = make(NULL, "stranger", DAY);
    write_certificate(path(ca_file, "ca.pem"), &authority);
    write_certificate(path(stranger_file, "stranger.pem"), &stranger);
    path(cert_file, "client.pem");
    path(key_file, "client.key");
}

static void remove_authorities(void)
{
    char rubbish[64];
    unlink(ca_file);
    unlink(stranger_file);
    unlink(cert_file);
    unlink(key_file);
    unlink(path(rubbish, "rubbish"));
    rmdir(directory);
    drop(&authority);
    drop(&stranger);
}

static void fill(TCase *cases)
{
    tcase_add_unchecked_fixture(cases, make_authorities, remove_authorities);
    tcase_add_checked_fixture(cases, set_up, NULL);
    tcase_add_test(cases, an_ip_address_in_the_certificate_will_do);
    tcase_add_test(cases, a_name_that_was_set_is_expected_instead);
    tcase_add_test(cases, a_wrong_name_is_told);
    tcase_add_test(cases, a_wrong_authority_is_told);
    tcase_add_test(cases, an_expired_certificate_is_told);
    tcase_add_test(cases, an_old_protocol_is_refused);
    tcase_add_test(cases, a_client_certificate_that_is_wanted_and_missing_is_told);
    tcase_add_test(cases, an_expired_client_certificate_is_told);
    tcase_add_test(cases, a_client_certificate_is_shown);
    tcase_add_test(cases, who_accepts_and_says_nothing_is_a_timeout);
    tcase_add_test(cases, replies_may_come_byte_by_byte);
    tcase_add_test(cases, a_server_that_goes_raises_no_signal);
    tcase_add_test(cases, a_bad_file_is_told_at_open);
}

UNIT_MAIN("cache/redis_tls", fill, 60)
