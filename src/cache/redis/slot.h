/* slot.h - which of a cluster's slots a key is in. */
#ifndef SDI_CACHE_REDIS_SLOT_H
#define SDI_CACHE_REDIS_SLOT_H

#include <stdint.h>

#include "base/slice.h"

enum { SDI_REDIS_SLOTS = 16384 };

/* sdi_redis_slot: of "a{tag}b" the tag decides, unless it is empty. */
uint16_t sdi_redis_slot(sdi_slice key);

#endif
