/* shop.h - what all requests share: the client, the statements, which products there are and how often each is asked
 * for. It stays from phase to phase. */
#ifndef LOAD_SHOP_H
#define LOAD_SHOP_H

#include "keys.h"
#include "stampedes.h"
#include "statements.h"
#include "versions.h"

#include <shopdata/shopdata.h>

enum { LOAD_WORDS = 256, LOAD_WORD_TEXT = 48 };

typedef struct load_scale {
    int64_t products, customers, orders, categories;
} load_scale;

typedef struct load_shop {
    shopdata_client *client;
    shopdata_statement *statements[LOAD_STATEMENTS];
    bool is_kept[LOAD_STATEMENTS]; /* a cache keeps its answers */
    bool has_cache;
    load_scale scale;
    load_keys *keys;
    char words[LOAD_WORDS][LOAD_WORD_TEXT]; /* what visitors look for: out of products' names */
    size_t word_count;
    char server_version[64];
    load_versions versions[LOAD_VERSIONED]; /* none of LOAD_UNVERSIONED */
    load_stampedes stampedes[LOAD_STATEMENTS];
} load_shop;

/* load_shop_open prepares the statements and reads what is loaded: a fault if nothing is, or not to the end. The client
 * becomes the shop's; load_shop_close also after a fault. The keys are told how many products there are. */
bool load_shop_open(load_shop *shop, shopdata_client *client, load_keys *keys, const load_trace *trace,
                    load_fault *fault);
void load_shop_close(load_shop *shop);
/* load_shop_may_write is a fault where the role lacks a right that a workload with writes needs. */
bool load_shop_may_write(load_shop *shop, load_fault *fault);
/* load_shop_flush bumps the tags of all tables. */
bool load_shop_flush(load_shop *shop, load_fault *fault);

#endif
