#include "kit.h"

#include <string.h>

#include "../unit.h"
#include "base/clock.h"

sdi_hash128 kit_key_of(uint64_t number)
{
    return sdi_hash128_of(&number, sizeof number);
}

shopdata_result *kit_answer(const char *text)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    sdi_result_column(&builder, "text", 25);
    sdi_result_cell(&builder, text, strlen(text));
    shopdata_result *result = sdi_result_build(&builder);
    if (result)
        memcpy(result->node, "primary", sizeof "primary");
    return result;
}

void kit_put(sdi_local *local, uint64_t number, const char *text, const sdi_local_entry *entry)
{
    shopdata_result *result = kit_answer(text);
    if (result)
        sdi_local_put(local, kit_key_of(number), result, entry);
    shopdata_result_free(result);
}

void kit_put_now(sdi_local *local, uint64_t number, const char *text, sdi_local_tag tag)
{
    kit_put(local, number, text, &(sdi_local_entry){sdi_local_moment(local), SDI_NEVER, &tag, 1, {0}});
}

shopdata_result *kit_get_at(sdi_local *local, uint64_t number, int64_t now, uint64_t since)
{
    sdi_local_seen seen;
    return sdi_local_get(local, kit_key_of(number), now, since, &seen);
}

shopdata_result *kit_get(sdi_local *local, uint64_t number)
{
    return kit_get_at(local, number, sdi_uptime(), 0);
}

bool kit_is_there(sdi_local *local, uint64_t number)
{
    shopdata_result *result = kit_get(local, number);
    shopdata_result_free(result);
    return result != NULL;
}

void kit_assert_text(const shopdata_result *result, const char *text)
{
    sdi_slice cell;
    ck_assert_ptr_nonnull(result);
    ck_assert(sdi_result_at(result, 0, 0, &cell));
    ck_assert_str_eq(cell.data, text);
}
