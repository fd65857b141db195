/* Values that PostgreSQL holds equal have one spelling in a tag, or none (then the table's tag stands for them); values
 * that it holds different never share one. */
#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

#include "fuzz.h"
#include "model/key.h"

static void append_blanks(sdi_buffer *text, unsigned bits)
{
    static const char blanks[] = " \t\n\v\f\r";
    for (; bits & 3; bits >>= 2)
        sdi_buffer_char(text, blanks[bits % (sizeof blanks - 1)]);
}

static void expect(enum sdi_key_type type, sdi_buffer *spelt, const char *one)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    if (sdi_key_append(&out, type, fuzz_slice(spelt), false))
        HOLDS(!strcmp(out.data, one));
    sdi_buffer_free(&out);
    sdi_buffer_free(spelt);
}

/* A number as somebody may write it: blanks around, a sign, zeros in front. */
static void spell_number(fuzz_input *in)
{
    sdi_buffer text = SDI_BUFFER_INIT;
    char one[32];
    int64_t value = (int64_t)fuzz_number(in, 8);
    enum sdi_key_type type = (enum sdi_key_type)(SDI_KEY_INT2 + fuzz_below(in, 3));
    append_blanks(&text, (unsigned)fuzz_number(in, 1));
    if (value < 0)
        sdi_buffer_char(&text, '-');
    else if (fuzz_number(in, 1) & 1)
        sdi_buffer_char(&text, '+');
    for (uint64_t zeros = fuzz_number(in, 1) % 24; zeros; zeros--)
        sdi_buffer_char(&text, '0');
    sdi_buffer_printf(&text, "%" PRIu64, value < 0 ? -(uint64_t)value : (uint64_t)value);
    append_blanks(&text, (unsigned)fuzz_number(in, 1));
    snprintf(one, sizeof one, "%" PRId64, value);
    expect(type, &text, one);
}

static void spell_uuid(fuzz_input *in)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    sdi_buffer text = SDI_BUFFER_INIT;
    char one[40], *at = one;
    bool braces = fuzz_number(in, 1) & 1;
    if (braces)
        sdi_buffer_char(&text, '{');
    for (int i = 0; i < 32; i++) {
        size_t digit = fuzz_below(in, 32);
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *at++ = '-';
        *at++ = (char)tolower(digits[digit]);
        sdi_buffer_char(&text, digits[digit]);
        if (i % 4 == 3 && i < 31 && (fuzz_number(in, 1) & 1))
            sdi_buffer_char(&text, '-');
    }
    *at = '\0';
    if (braces)
        sdi_buffer_char(&text, '}');
    expect(SDI_KEY_UUID, &text, one);
}

/* What a type reads of any text it would read again of its own spelling; and of two texts that a number's oracle tells
 * apart it never makes one. */
static void check_any(fuzz_input *in)
{
    enum sdi_key_type type = (enum sdi_key_type)fuzz_below(in, SDI_KEY_TEXT);
    sdi_buffer out = SDI_BUFFER_INIT, again = SDI_BUFFER_INIT;
    char *text = sdi_memdup0((const char *)in->data, in->left), *end;
    if (sdi_key_append(&out, type, (sdi_slice){text, in->left}, false)) {
        HOLDS(sdi_key_append(&again, type, fuzz_slice(&out), false));
        HOLDS(sdi_slice_equal(fuzz_slice(&again), fuzz_slice(&out)));
        if (type >= SDI_KEY_INT2 && type <= SDI_KEY_INT8)
            HOLDS(strtoll(text, &end, 10) == strtoll(out.data, NULL, 10) && end > text);
    }
    sdi_free(text);
    sdi_buffer_free(&out);
    sdi_buffer_free(&again);
}

/* Escaping is one to one, and leaves nothing that has a meaning in a tag. */
static void check_escape(fuzz_input *in)
{
    sdi_buffer out = SDI_BUFFER_INIT;
    sdi_slice text = fuzz_rest(in);
    sdi_tag_escape(&out, text, true);
    size_t at = 0;
    for (size_t i = 0; i < out.length; i++, at++) {
        char byte = out.data[i];
        HOLDS(at < text.length && byte && !strchr("/,=*$#. ", byte));
        if (byte == '%') {
            char hex[3] = {out.data[i + 1], out.data[i + 2], '\0'};
            byte = (char)strtoul(hex, NULL, 16);
            i += 2;
        }
        HOLDS(byte == text.data[at]);
    }
    HOLDS(at == text.length);
    sdi_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(fuzz_input *) = {spell_number, spell_uuid, check_any, check_escape};
    fuzz_input in = {data, size};
    checks[fuzz_number(&in, 1) % 4](&in);
    return 0;
}
