#include "model/address.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "model/config_keys.h"

enum { PORT_MAX = 65535 };

/* An item of a list, as views of it. */
typedef struct item {
    sdi_slice host;
    int64_t port;
} item;

static sdi_slice trim(sdi_slice text)
{
    while (text.length && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (sdi_slice){text.data + 1, text.length - 1};
    while (text.length && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Cuts the first item off; rest->data is NULL when it was the last. */
static sdi_slice cut_item(sdi_slice *rest)
{
    const char *comma = memchr(rest->data, ',', rest->length);
    size_t length = comma ? (size_t)(comma - rest->data) : rest->length;
    sdi_slice cut = {rest->data, length};
    *rest = comma ? (sdi_slice){comma + 1, rest->length - length - 1} : (sdi_slice){NULL, 0};
    return trim(cut);
}

static int64_t read_port(sdi_slice text)
{
    int64_t port = 0;
    for (size_t i = 0; i < text.length && port <= PORT_MAX; i++)
        port = text.data[i] < '0' || text.data[i] > '9' ? PORT_MAX + 1 : port * 10 + (text.data[i] - '0');
    return port;
}

/* Where the host ends and the port begins, at the colon; text.length if the address is malformed. */
static size_t find_colon(sdi_slice text)
{
    const char *bracket = text.data[0] == '[' ? memchr(text.data, ']', text.length) : NULL;
    const char *from = bracket ? bracket + 1 : text.data;
    const char *colon = memchr(from, ':', text.length - (size_t)(from - text.data));
    if (!colon || (bracket && colon != from))
        return text.length;
    return (size_t)(colon - text.data);
}

static bool read_item(sdi_slice text, item *item_out)
{
    *item_out = (item){text, 0};
    if (text.length > 1 && text.data[0] == '/')
        return true;
    if (!text.length || memchr(text.data, ' ', text.length))
        return false;
    size_t colon = find_colon(text), skip = text.data[0] == '[' ? 1 : 0;
    if (colon == text.length || colon <= 2 * skip)
        return false;
    *item_out = (item){{text.data + skip, colon - 2 * skip},
                       read_port((sdi_slice){text.data + colon + 1, text.length - colon - 1})};
    return item_out->port >= 1 && item_out->port <= PORT_MAX;
}

bool sdi_addresses_check(sdi_slice text, sdi_buffer *fault)
{
    size_t wrong = 0;
    while (text.data) {
        item found;
        sdi_slice cut = cut_item(&text);
        if (read_item(cut, &found))
            continue;
        sdi_buffer_text(fault, wrong++ ? ", " : "");
        sdi_quote(fault, cut);
    }
    if (wrong)
        sdi_buffer_printf(fault, " %s; write host:port, [IPv6]:port or the /path of a socket, with commas between",
                          wrong == 1 ? "is not an address" : "are not addresses");
    return wrong == 0;
}

static size_t count_items(sdi_slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == ',';
    return count;
}

/* Room for the addresses and, behind them, so many bytes of text. */
static sdi_address *make_block(size_t count, size_t text, char **text_out)
{
    sdi_address *addresses = sdi_malloc(count * sizeof *addresses + text);
    if (addresses)
        *text_out = (char *)(addresses + count);
    return addresses;
}

static void put(sdi_address *address, sdi_slice host, int64_t port, char **text)
{
    memcpy(*text, host.data, host.length);
    (*text)[host.length] = '\0';
    *address = (sdi_address){*text, port};
    *text += host.length + 1;
}

sdi_address *sdi_addresses_read(sdi_slice text, size_t *count_out)
{
    size_t count = count_items(text);
    char *room;
    sdi_address *addresses = make_block(count, text.length + count, &room);
    for (size_t i = 0; addresses && i < count; i++) {
        item found;
        read_item(cut_item(&text), &found);
        put(&addresses[i], found.host, found.port, &room);
    }
    *count_out = count;
    return addresses;
}

sdi_address *sdi_addresses_copy(const sdi_address *addresses, size_t count)
{
    size_t text = 0;
    char *room;
    for (size_t i = 0; i < count; i++)
        text += strlen(addresses[i].host) + 1;
    sdi_address *copy = make_block(count, text, &room);
    for (size_t i = 0; copy && i < count; i++)
        put(&copy[i], sdi_slice_of(addresses[i].host), addresses[i].port, &room);
    return copy;
}

bool sdi_address_equal(const sdi_address *a, const sdi_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

void sdi_address_show(sdi_buffer *out, const sdi_address *address)
{
    if (address->host[0] == '/')
        sdi_buffer_text(out, address->host);
    else
        sdi_buffer_printf(out, strchr(address->host, ':') ? "[%s]:%" PRId64 : "%s:%" PRId64, address->host,
                          address->port);
}
