/* inlines.c - every inline function of the public header, in the words that C11 and C++17 share. It links nothing:
 * these functions must not need the library. */
#include <shopdata/shopdata.h>

#include <stdio.h>

static int failures;

static void expect(int good, const char *what)
{
    if (good)
        return;
    failures++;
    printf("wrong: %s\n", what);
}

static void numbers(void)
{
    expect(shopdata_null().kind == SHOPDATA_NULL, "null");
    expect(shopdata_bool(7).kind == SHOPDATA_BOOL && shopdata_bool(7).value.integer == 1, "true");
    expect(shopdata_bool(0).value.integer == 0, "false");
    expect(shopdata_int64(INT64_MIN).kind == SHOPDATA_INT64, "kind of int64");
    expect(shopdata_int64(INT64_MIN).value.integer == INT64_MIN, "int64");
    shopdata_param real = shopdata_double(0.5);
    expect(real.kind == SHOPDATA_DOUBLE && real.value.real >= 0.5 && real.value.real <= 0.5, "double");
}

static void strings(void)
{
    static const char text[] = "tea";
    expect(shopdata_text(text).kind == SHOPDATA_TEXT && shopdata_text(text).value.bytes.length == 3, "text");
    expect(shopdata_text("").kind == SHOPDATA_TEXT && shopdata_text("").value.bytes.length == 0, "empty text");
    expect(shopdata_text_n(text, 2).value.bytes.data == text, "text of a length is not copied");
    expect(shopdata_text_n(text, 2).value.bytes.length == 2, "text of a length");
    expect(shopdata_bytes(text, 4).kind == SHOPDATA_BYTES && shopdata_bytes(text, 4).value.bytes.length == 4, "bytes");
}

/* A null pointer without the word of one language only. */
static const char *nothing(void)
{
    static const char *pointer;
    return pointer;
}

static void null_pointers(void)
{
    expect(shopdata_text(nothing()).kind == SHOPDATA_NULL, "no text is SQL NULL");
    expect(shopdata_text_n(nothing(), 3).kind == SHOPDATA_NULL, "no text of a length is SQL NULL");
    expect(shopdata_bytes(nothing(), 3).kind == SHOPDATA_NULL, "no bytes are SQL NULL");
}

int main(void)
{
    numbers();
    strings();
    null_pointers();
    return failures ? 1 : 0;
}
