#include "model/clock_words.h"

#include <strings.h>

static bool is_letter(char byte)
{
    unsigned char c = (unsigned char)byte;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_clock_word(const char *word, size_t length)
{
    static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (length == strlen(words[i]) && !strncasecmp(word, words[i], length))
            return true;
    return false;
}

bool sdi_says_clock(sdi_slice text)
{
    size_t begin = 0;
    for (size_t i = 0; i <= text.length; i++) {
        if (i < text.length && is_letter(text.data[i]))
            continue;
        if (i > begin && is_clock_word(text.data + begin, i - begin))
            return true;
        begin = i + 1;
    }
    return false;
}
