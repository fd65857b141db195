/* kit.h - answers of one text, kept under numbers. */
#ifndef SDI_TESTS_UNIT_LOCAL_KIT_H
#define SDI_TESTS_UNIT_LOCAL_KIT_H

#include "local/local.h"

enum { KIT_ROOM = 1 << 20 };

sdi_hash128 kit_key_of(uint64_t number);
/* kit_answer: NULL without memory. */
shopdata_result *kit_answer(const char *text);
void kit_put(sdi_local *local, uint64_t number, const char *text, const sdi_local_entry *entry);
/* kit_put_now: asked for now, without a time, hanging on one tag. */
void kit_put_now(sdi_local *local, uint64_t number, const char *text, sdi_local_tag tag);
shopdata_result *kit_get_at(sdi_local *local, uint64_t number, int64_t now, uint64_t since);
shopdata_result *kit_get(sdi_local *local, uint64_t number);
bool kit_is_there(sdi_local *local, uint64_t number);
void kit_assert_text(const shopdata_result *result, const char *text);

#endif
