#include "input.h"

#include <string.h>

static const char digits[] = "0123456789";
static const char blanks[] = " \t\r\n";

/* Twelve digits are more than any limit here and fewer than an int64_t holds. */
enum { DIGITS_MAX = 12 };

bool shop_parse_number(const char *text, int64_t minimum, int64_t maximum, int64_t *number_out)
{
    size_t length = strspn(text, digits);
    if (length == 0 || length > DIGITS_MAX || text[length])
        return false;
    int64_t number = 0;
    for (size_t i = 0; i < length; i++)
        number = number * 10 + (text[i] - '0');
    if (number < minimum || number > maximum)
        return false;
    *number_out = number;
    return true;
}

bool shop_parse_id(const char *text, int64_t *id_out)
{
    return shop_parse_number(text, 1, INT32_MAX, id_out);
}

bool shop_parse_page(const char *text, int64_t *page_out)
{
    *page_out = 1;
    return !text || shop_parse_number(text, 1, SHOP_PAGE_MAX, page_out);
}

bool shop_trim(const char *text, char *copy, size_t size)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    if (length >= size)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return true;
}

bool shop_parse_cents(const char *price, int64_t *cents_out)
{
    char number[SHOP_PRICE_SIZE];
    size_t whole = strspn(price, digits);
    if (whole + 2 >= sizeof number || price[whole] != '.' || strlen(price) != whole + 3)
        return false;
    memcpy(number, price, whole);
    memcpy(number + whole, price + whole + 1, 3);
    return shop_parse_number(number, 0, INT64_MAX, cents_out);
}

/* One to seven digits, then perhaps a point and one or two more: numeric(10,2) holds them all, and exactly. */
static bool is_price(const char *text)
{
    size_t whole = strspn(text, digits);
    if (whole < 1 || whole > 7)
        return false;
    if (!text[whole])
        return true;
    size_t decimals = strspn(text + whole + 1, digits);
    return text[whole] == '.' && decimals >= 1 && decimals <= 2 && !text[whole + 1 + decimals];
}

const char *shop_check_edit(const char *price, const char *stock, struct shop_edit *edit)
{
    char trimmed[SHOP_PRICE_SIZE];
    if (!*price || !*stock)
        return "Both fields are needed: price and stock.";
    if (!shop_trim(price, edit->price, sizeof edit->price) || !is_price(edit->price))
        return "The price must be a number from 0 to 9999999.99 with at most two decimals, such as 19.99.";
    if (!shop_trim(stock, trimmed, sizeof trimmed) || !shop_parse_number(trimmed, 0, SHOP_STOCK_MAX, &edit->stock))
        return "The stock must be a whole number from 0 to 1000000.";
    return NULL;
}

static const char *const sorts[SHOP_SORTS] = {
    [SHOP_BY_RANK] = "best",
    [SHOP_BY_PRICE] = "price",
    [SHOP_BY_PRICE_DOWN] = "price-down",
    [SHOP_BY_NAME] = "name",
};

bool shop_parse_sort(const char *text, enum shop_sort *sort_out)
{
    *sort_out = SHOP_BY_RANK;
    for (int sort = 0; text && sort < SHOP_SORTS; sort++) {
        if (strcmp(text, sorts[sort]) != 0)
            continue;
        *sort_out = (enum shop_sort)sort;
        return true;
    }
    return !text;
}

const char *shop_sort_name(enum shop_sort sort)
{
    return sorts[sort];
}

/* The length of the sequence that `first` begins, and the least code point that may be written so. */
static size_t sequence_length(unsigned char first, uint32_t *least)
{
    *least = first < 0x80 ? 0 : first < 0xe0 ? 0x80 : first < 0xf0 ? 0x800 : 0x10000;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The number of bytes of the character at `bytes`, 0 if it is none. The zero byte behind the text ends every scan. */
static size_t character_length(const unsigned char *bytes)
{
    uint32_t least;
    size_t length = sequence_length(bytes[0], &least);
    uint32_t point = length > 1 ? bytes[0] & (0x7fU >> length) : bytes[0];
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (bytes[i] & 0x3fU);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < least || point > 0x10ffff || surrogate ? 0 : length;
}

bool shop_is_text(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    while (*bytes) {
        size_t length = character_length(bytes);
        if (length == 0)
            return false;
        bytes += length;
    }
    return true;
}

size_t shop_characters(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}
