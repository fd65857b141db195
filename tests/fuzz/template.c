/* A tag template of any bytes: refused with one line, or filled from any parameters into a tag that fits. */
#include "fuzz.h"

#define SHOP_HOLDS(condition) HOLDS(condition)
#include "../plans/shop.h"

enum { PARAMETERS = 3 };

static shopdata_param param_of(fuzz_input *in)
{
    sdi_slice text = fuzz_text(in);
    switch (fuzz_below(in, 5)) {
    case 0:
        return shopdata_null();
    case 1:
        return shopdata_int64((int64_t)fuzz_number(in, 8));
    case 2:
        return shopdata_double((double)fuzz_number(in, 8) / 7);
    case 3:
        return shopdata_bytes(text.data, text.length);
    default:
        return shopdata_text_n(text.data, text.length);
    }
}

static void fill(const char *tag, fuzz_input *in)
{
    shopdata_param params[PARAMETERS];
    sdi_tags tags = SDI_TAGS_INIT, again = SDI_TAGS_INIT;
    sdi_plan *plan = shop_plan_with("SELECT $1::text, $2::text, $3::text FROM products", &tag, 1);
    for (size_t i = 0; i < PARAMETERS; i++)
        params[i] = param_of(in);
    bool cacheable = sdi_plan_tags(plan, params, PARAMETERS, &tags);
    HOLDS(sdi_plan_tags(plan, params, PARAMETERS, &again) == cacheable);
    HOLDS(!sdi_tags_failed(&tags) && tags.count == again.count && tags.count <= 2 && tags.count > 0);
    for (size_t i = 0; i < tags.count; i++) {
        HOLDS(sdi_tags_at(&tags, i).length <= SDI_TAG_MAX);
        HOLDS(sdi_slice_equal(sdi_tags_at(&tags, i), sdi_tags_at(&again, i)));
    }
    sdi_tags_free(&tags);
    sdi_tags_free(&again);
    sdi_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    sdi_slice text = fuzz_text(&in);
    char *tag = sdi_memdup0(text.data, text.length);
    shopdata_error *error = NULL;
    int status = sdi_tag_template_check(tag, PARAMETERS, &error);
    HOLDS(status == SHOPDATA_OK || status == SHOPDATA_ERR_ARGUMENT);
    fuzz_error(status, &error);
    if (status == SHOPDATA_OK)
        fill(tag, &in);
    sdi_free(tag);
    return 0;
}
