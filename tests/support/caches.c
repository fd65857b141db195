#include "caches.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

sdi_cache_settings caches_settings(enum sdi_cache_kind kind)
{
    return (sdi_cache_settings){
        .kind = kind,
        .user = "",
        .password = "",
        .key_prefix = "",
        .sentinel_primary = "",
        .sentinel_password = "",
        .tls_ca_file = "",
        .tls_cert_file = "",
        .tls_key_file = "",
        .tls_server_name = "",
        .connections = 1,
        .connect_timeout_ms = 1000,
        .timeout_ms = 1000,
        .breaker_failures = 3,
        .breaker_open_ms = 60000,
        .breaker_open_max_ms = 60000,
        .max_entry_bytes = 65536,
    };
}

sdi_address *caches_memcached(size_t count)
{
    sdi_buffer list = SDI_BUFFER_INIT;
    size_t found = 0;
    for (char name[40]; found < count; found++) {
        snprintf(name, sizeof name, found ? "SHOPDATA_MEMCACHED%zu" : "SHOPDATA_MEMCACHED", found + 1);
        if (!getenv(name))
            break;
        sdi_buffer_printf(&list, "%s%s", found ? "," : "", getenv(name));
    }
    sdi_address *servers = found < count ? NULL : sdi_addresses_read((sdi_slice){list.data, list.length}, &count);
    sdi_buffer_free(&list);
    return servers;
}

sdi_cache *caches_open(const sdi_cache_settings *settings, sdi_metrics **metrics_out)
{
    sdi_cache *cache = NULL;
    shopdata_error *error = NULL;
    *metrics_out = sdi_metrics_new((sdi_names){0}, (sdi_names){0});
    ck_assert_ptr_nonnull(*metrics_out);
    int status = sdi_cache_open(settings, *metrics_out, &cache, &error);
    ck_assert_msg(status == SHOPDATA_OK, "%s", shopdata_error_message(error));
    return cache;
}

void caches_close(sdi_cache *cache, sdi_metrics *metrics)
{
    sdi_cache_close(cache);
    sdi_metrics_free(metrics);
}

uint64_t caches_faults(sdi_metrics *metrics)
{
    uint64_t all = 0;
    for (size_t fault = 0; fault < SDI_CACHE_FAULTS; fault++)
        all += sdi_counted(metrics, SDI_M_CACHE_ERRORS, fault);
    return all;
}

void caches_check_trouble(sdi_cache *cache, const char *expected)
{
    sdi_buffer trouble = SDI_BUFFER_INIT;
    sdi_cache_trouble(cache, &trouble);
    ck_assert_msg(trouble.data && strstr(trouble.data, expected), "%s", trouble.data ? trouble.data : "none");
    sdi_buffer_free(&trouble);
}

int caches_listen(int64_t *port_out)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port_out = ntohs(address.sin_port);
    return fd;
}
