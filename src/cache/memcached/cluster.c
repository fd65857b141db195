#include "cache/memcached/cluster.h"

#include <ctype.h>
#include <inttypes.h>

enum { HOST_MAX = 255, PORT_MAX = 65535 };

/* Cuts off what precedes `end`; false if there is none. */
static bool cut(sdi_slice *rest, char end, sdi_slice *piece_out)
{
    const char *found = rest->length ? memchr(rest->data, end, rest->length) : NULL;
    if (!found)
        return false;
    *piece_out = (sdi_slice){rest->data, (size_t)(found - rest->data)};
    *rest = (sdi_slice){found + 1, rest->length - piece_out->length - 1};
    return true;
}

static sdi_slice without_blanks_behind(sdi_slice text)
{
    while (text.length && strchr(" \r\n", text.data[text.length - 1]))
        text.length--;
    return text;
}

/* Digits alone, and more than nothing. */
static bool read_number(sdi_slice text, uint64_t *number_out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
            return false;
    *number_out = number;
    return number > 0;
}

/* A name or an IP address; nothing that would be a path, or more than one item, in a list of addresses. */
static bool is_host(sdi_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isalnum((unsigned char)text.data[i]) && !strchr(".-_:%", text.data[i]))
            return false;
    return text.length > 0 && text.length <= HOST_MAX && !memchr(text.data, 0, text.length);
}

/* Appends one HOST|IP|PORT to a list as a configuration file has it (address.h). */
static bool add_item(sdi_slice item, sdi_buffer *list)
{
    sdi_slice name, ip;
    uint64_t port;
    if (!cut(&item, '|', &name) || !cut(&item, '|', &ip) || !read_number(item, &port) || port > PORT_MAX)
        return false;
    sdi_slice host = name.length ? name : ip;
    if (!is_host(host))
        return false;
    bool v6 = memchr(host.data, ':', host.length) != NULL;
    sdi_buffer_printf(list, "%s%s%.*s%s:%" PRIu64, list->length ? "," : "", v6 ? "[" : "", (int)host.length, host.data,
                      v6 ? "]" : "", port);
    return true;
}

static bool add_items(sdi_slice text, sdi_buffer *list)
{
    size_t count = 0;
    sdi_slice item;
    while (cut(&text, ' ', &item))
        if (++count >= SDI_MEMCACHED_CLUSTER_MAX || !add_item(item, list))
            return false;
    return add_item(text, list) && !list->failed;
}

bool sdi_memcached_cluster_parse(sdi_slice text, sdi_memcached_cluster *cluster_out)
{
    sdi_memcached_cluster cluster = {0};
    sdi_buffer list = SDI_BUFFER_INIT, fault = SDI_BUFFER_INIT;
    sdi_slice line, rest = text;
    if (cut(&rest, '\n', &line) && read_number(without_blanks_behind(line), &cluster.version) &&
        add_items(without_blanks_behind(rest), &list)) {
        sdi_slice items = {list.data, list.length};
        if (sdi_addresses_check(items, &fault))
            cluster.addresses = sdi_addresses_read(items, &cluster.count);
    }
    sdi_buffer_free(&list);
    sdi_buffer_free(&fault);
    if (cluster.addresses)
        *cluster_out = cluster;
    return cluster.addresses != NULL;
}
