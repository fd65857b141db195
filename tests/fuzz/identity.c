/* Two lists of parameters share an identity exactly if PostgreSQL gets the same values. */
#include "fuzz.h"
#include "model/param.h"

enum { PARAMS_MAX = 4 };

static size_t params_of(fuzz_input *in, shopdata_param *params)
{
    size_t count = fuzz_below(in, PARAMS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        params[i] = shopdata_null();
        params[i].kind = (int)fuzz_below(in, SHOPDATA_BYTES + 1);
        if (params[i].kind >= SHOPDATA_TEXT) {
            sdi_slice text = fuzz_text(in);
            params[i].value.bytes.data = text.data;
            params[i].value.bytes.length = text.length;
        } else if (params[i].kind == SHOPDATA_DOUBLE) {
            uint64_t bits = fuzz_number(in, 8);
            memcpy(&params[i].value.real, &bits, sizeof bits);
        } else {
            params[i].value.integer = (int64_t)fuzz_number(in, params[i].kind == SHOPDATA_INT64 ? 8 : 1);
            params[i].value.integer &= params[i].kind == SHOPDATA_BOOL ? 1 : -1;
        }
    }
    return count;
}

static bool same_value(const shopdata_param *a, const shopdata_param *b)
{
    if (a->kind == SHOPDATA_NULL || b->kind == SHOPDATA_NULL)
        return a->kind == b->kind;
    if (a->kind == SHOPDATA_BYTES || b->kind == SHOPDATA_BYTES)
        return a->kind == b->kind && sdi_slice_equal((sdi_slice){a->value.bytes.data, a->value.bytes.length},
                                                     (sdi_slice){b->value.bytes.data, b->value.bytes.length});
    sdi_buffer x = SDI_BUFFER_INIT, y = SDI_BUFFER_INIT;
    sdi_param_text(a, &x);
    sdi_param_text(b, &y);
    bool same = sdi_slice_equal(fuzz_slice(&x), fuzz_slice(&y));
    sdi_buffer_free(&x);
    sdi_buffer_free(&y);
    return same;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    shopdata_param a[PARAMS_MAX], b[PARAMS_MAX];
    sdi_buffer x = SDI_BUFFER_INIT, y = SDI_BUFFER_INIT;
    size_t count_a = params_of(&in, a), count_b = params_of(&in, b);
    bool same = count_a == count_b;
    for (size_t i = 0; same && i < count_a; i++)
        same = same_value(&a[i], &b[i]);
    sdi_params_identity(a, count_a, &x);
    sdi_params_identity(b, count_b, &y);
    HOLDS(sdi_slice_equal(fuzz_slice(&x), fuzz_slice(&y)) == same);
    shopdata_error *error = NULL;
    fuzz_error(sdi_params_check(a, count_a, &error), &error);
    sdi_buffer_free(&x);
    sdi_buffer_free(&y);
    return 0;
}
