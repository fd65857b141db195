#include "sign.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "input.h"

enum { MAC_BYTES = 32, MAC_DIGITS = 2 * MAC_BYTES, NONCE_BYTES = 16, LINE_SIZE = 256, MESSAGE_SIZE = 1024 };

static const char hexadecimal[] = "0123456789abcdef";

static void write_hex(const unsigned char *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = hexadecimal[bytes[i] >> 4];
        text[2 * i + 1] = hexadecimal[bytes[i] & 15];
    }
    text[2 * count] = '\0';
}

static bool read_hex(const char *text, unsigned char *bytes, size_t count)
{
    if (strspn(text, hexadecimal) != 2 * count || text[2 * count])
        return false;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)((strchr(hexadecimal, text[2 * i]) - hexadecimal) << 4 |
                                   (strchr(hexadecimal, text[2 * i + 1]) - hexadecimal));
    return true;
}

static const char *read_keys(FILE *file, struct shop_keys *keys)
{
    char line[LINE_SIZE];
    keys->count = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#' || !line[0])
            continue;
        if (keys->count == SHOP_KEYS_MAX)
            return "there are more than 8 keys";
        if (!read_hex(line, keys->bytes[keys->count++], SHOP_KEY_BYTES))
            return "a key must be 64 hexadecimal digits: make one with `openssl rand -hex 32`";
    }
    return keys->count ? NULL : "there is no key in it: make one with `openssl rand -hex 32`";
}

/* Who reads a key can make any cart, and any link to any order. */
static bool is_private(FILE *file)
{
    struct stat found;
    return fstat(fileno(file), &found) == 0 && (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool shop_keys_read(const char *path, struct shop_keys *keys, char *complaint, size_t size)
{
    FILE *file = fopen(path, "re");
    const char *wrong = !file               ? strerror(errno)
                        : !is_private(file) ? "others may read it: chmod 600"
                                            : read_keys(file, keys);
    if (file)
        fclose(file);
    if (wrong)
        snprintf(complaint, size, "%s: %s", path, wrong);
    return !wrong;
}

bool shop_keys_make(struct shop_keys *keys)
{
    keys->count = 1;
    return RAND_bytes(keys->bytes[0], SHOP_KEY_BYTES) == 1;
}

/* The purpose has no blank and the time is a number, so no text can pass for them. False if the text is longer than
 * anything we make. */
static bool sign(const unsigned char *key, const char *purpose, int64_t time, const char *text,
                 unsigned char mac[MAC_BYTES])
{
    char message[MESSAGE_SIZE];
    int length = snprintf(message, sizeof message, "%s %" PRId64 " %s", purpose, time, text);
    return (size_t)length < sizeof message &&
           HMAC(EVP_sha256(), key, SHOP_KEY_BYTES, (const unsigned char *)message, (size_t)length, mac, NULL);
}

void shop_seal(const struct shop_keys *keys, const char *purpose, const char *text, char seal[SHOP_SEAL_SIZE])
{
    unsigned char mac[MAC_BYTES] = {0};
    int64_t now = time(NULL);
    sign(keys->bytes[0], purpose, now, text, mac);
    int length = snprintf(seal, SHOP_SEAL_SIZE, "%" PRId64 ".", now);
    write_hex(mac, MAC_BYTES, seal + length);
}

bool shop_seal_holds(const struct shop_keys *keys, const char *purpose, const char *text, const char *seal,
                     int64_t seconds)
{
    char digits[SHOP_SEAL_SIZE - MAC_DIGITS];
    unsigned char given[MAC_BYTES], mac[MAC_BYTES];
    int64_t made, now = time(NULL);
    size_t length = strcspn(seal, ".");
    if (length >= sizeof digits || seal[length] != '.' || !read_hex(seal + length + 1, given, MAC_BYTES))
        return false;
    memcpy(digits, seal, length);
    digits[length] = '\0';
    if (!shop_parse_number(digits, 0, now, &made) || now - made > seconds)
        return false;
    bool holds = false;
    for (size_t i = 0; i < keys->count; i++)
        holds |= sign(keys->bytes[i], purpose, made, text, mac) && CRYPTO_memcmp(mac, given, MAC_BYTES) == 0;
    return holds;
}

bool shop_nonce(char nonce[SHOP_NONCE_SIZE])
{
    unsigned char bytes[NONCE_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    write_hex(bytes, sizeof bytes, nonce);
    return true;
}

bool shop_is_nonce(const char *text, size_t length)
{
    return length == SHOP_NONCE_SIZE - 1 && strspn(text, hexadecimal) >= length;
}
