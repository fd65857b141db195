/* Words of the clock are found wherever PostgreSQL would find them, and in no other word. */
#include <ctype.h>

#include "fuzz.h"
#include "model/clock_words.h"

static bool is_word_byte(unsigned char byte)
{
    return isalpha(byte) || byte == '_' || byte >= 0x80;
}

/* The same question, asked from the word's side. */
static bool stands_in(sdi_slice text, const char *word)
{
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= text.length; at++) {
        size_t same = 0;
        while (same < length && tolower((unsigned char)text.data[at + same]) == word[same])
            same++;
        bool begins = at == 0 || !is_word_byte((unsigned char)text.data[at - 1]);
        bool ends = at + length == text.length || !is_word_byte((unsigned char)text.data[at + length]);
        if (same == length && begins && ends)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = fuzz_exact((sdi_slice){(const char *)data, size});
    sdi_slice text = {exact, size};
    bool says = stands_in(text, "now") || stands_in(text, "today") || stands_in(text, "tomorrow") ||
                stands_in(text, "yesterday");
    HOLDS(sdi_says_clock(text) == says);
    sdi_free(exact);
    return 0;
}
