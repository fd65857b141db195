/* address.h - where servers are: `host:port`, `[2001:db8::7]:port` or the path of a socket, with commas between. */
#ifndef SDI_MODEL_ADDRESS_H
#define SDI_MODEL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

typedef struct sdi_address {
    const char *host; /* a name, an IP address without brackets, or a path beginning with / */
    int64_t port;     /* 0 for a path */
} sdi_address;

/* sdi_addresses_check: is this a list of one or more? On failure *fault gets what is wrong with each bad item. */
bool sdi_addresses_check(sdi_slice text, sdi_buffer *fault);
/* sdi_addresses_read reads a list that was checked, as one block for sdi_free; NULL without memory. */
sdi_address *sdi_addresses_read(sdi_slice text, size_t *count_out);
/* sdi_addresses_copy makes such a block of another list. */
sdi_address *sdi_addresses_copy(const sdi_address *addresses, size_t count);
bool sdi_address_equal(const sdi_address *a, const sdi_address *b);
/* sdi_address_show writes it as one would in a file. */
void sdi_address_show(sdi_buffer *out, const sdi_address *address);

#endif
