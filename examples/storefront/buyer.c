#include "buyer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "input.h"

/* Crockford's alphabet: no I, L, O and U. 32 letters, so five random bits are one. */
static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum { LETTERS = 8 };

static void write_number(const char drawn[LETTERS], char number[SHOP_ORDER_NUMBER_SIZE])
{
    snprintf(number, SHOP_ORDER_NUMBER_SIZE, "F-%.4s-%.4s", drawn, drawn + 4);
}

bool shop_order_number(char number[SHOP_ORDER_NUMBER_SIZE])
{
    unsigned char bytes[LETTERS];
    char drawn[LETTERS];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    for (size_t i = 0; i < LETTERS; i++)
        drawn[i] = letters[bytes[i] & 31];
    write_number(drawn, number);
    return true;
}

static char upper(char letter)
{
    return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* What people write for what they read: O for 0, I and L for 1. */
static char meant(char letter)
{
    letter = upper(letter);
    return letter == 'O' ? '0' : letter == 'I' || letter == 'L' ? '1' : letter;
}

bool shop_read_order_number(const char *text, char number[SHOP_ORDER_NUMBER_SIZE])
{
    char read[LETTERS + 1];
    size_t count = 0;
    for (; *text; text++) {
        if (*text == ' ' || *text == '-')
            continue;
        if (count == sizeof read || !strchr(letters, meant(*text)))
            return false;
        read[count++] = meant(*text);
    }
    bool has_prefix = count == sizeof read && read[0] == 'F';
    if (count != LETTERS && !has_prefix)
        return false;
    write_number(read + has_prefix, number);
    return true;
}

/* A shape, not a proof: something before and after the one @, a point behind it, no blank and no control character. */
bool shop_read_email(const char *text, char email[SHOP_EMAIL_SIZE])
{
    if (!shop_trim(text, email, SHOP_EMAIL_SIZE))
        return false;
    for (char *at = email; *at; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
        *at = lower(*at);
    }
    const char *at = strchr(email, '@'), *point = at ? strrchr(at, '.') : NULL;
    return at && at > email && !strchr(at + 1, '@') && point && point > at + 1 && point[1];
}

static bool read_text(const char *text, char *copy, size_t size, size_t most)
{
    return shop_trim(text, copy, size) && copy[0] && shop_characters(copy) <= most;
}

const char *shop_check_buyer(const char *name, const char *email, const char *address, struct shop_buyer *buyer)
{
    if (!read_text(name, buyer->name, sizeof buyer->name, SHOP_BUYER_NAME_MAX))
        return "We need your name, of at most 100 characters.";
    if (!shop_read_email(email, buyer->email))
        return "We need your e-mail address, such as ada@example.com.";
    if (!read_text(address, buyer->address, sizeof buyer->address, SHOP_ADDRESS_MAX))
        return "We need the address to send it to, of at most 500 characters.";
    return NULL;
}
