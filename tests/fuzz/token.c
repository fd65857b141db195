/* Whatever comes back from a visitor's browser: a token has one text and means one thing, and only a key signs. */
#include "fresh/token.h"
#include "fuzz.h"

static const sdi_token_keys none = {0};
static const sdi_token_keys keys = {.count = 1, .keys = {{{"k", 1}, {"0123456789abcdef", 16}}}};

static void check_point(const sdi_token *token)
{
    const sdi_snapshot *snapshot = &token->written.snapshot;
    HOLDS(sdi_era_known(token->written.era) && snapshot->xmin <= snapshot->xmax);
    HOLDS(snapshot->count <= SDI_SNAPSHOT_RUNNING_MAX && token->written.pending.count == 0);
    for (uint32_t i = 0; i < snapshot->count; i++) {
        HOLDS(snapshot->running[i] >= snapshot->xmin && snapshot->running[i] < snapshot->xmax);
        HOLDS(i == 0 || snapshot->running[i] > snapshot->running[i - 1]);
    }
}

static void check_token(const sdi_token *token)
{
    HOLDS(token->tag_count <= SDI_TOKEN_TAGS_MAX && (!token->all_tags || token->tag_count == 0));
    HOLDS(token->reached == 0 || sdi_era_known(token->era));
    if (token->wrote)
        check_point(token);
}

/* What is not signed is read as it is written; merged with itself it is the same. */
static void check_again(sdi_slice text, sdi_token *token)
{
    sdi_token read, twice = *token;
    sdi_buffer again = SDI_BUFFER_INIT, signed_text = SDI_BUFFER_INIT;
    sdi_token_merge(&twice, token);
    sdi_token_encode(&twice, &none, &again);
    HOLDS(again.length <= text.length && !memcmp(again.data, text.data, again.length));
    HOLDS(again.length == text.length || text.data[again.length] == '.');
    sdi_token_encode(token, &keys, &signed_text);
    HOLDS(signed_text.length <= SDI_TOKEN_TEXT_MAX);
    HOLDS(sdi_token_decode(fuzz_slice(&signed_text), &keys, &read) == SDI_TOKEN_GOOD);
    HOLDS(sdi_token_decode(fuzz_slice(&again), &keys, &read) == SDI_TOKEN_UNSIGNED);
    sdi_buffer_free(&again);
    sdi_buffer_free(&signed_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = fuzz_exact((sdi_slice){(const char *)data, size});
    sdi_slice text = {exact, size};
    sdi_token token, verified;
    enum sdi_token_fault fault = sdi_token_decode(text, &keys, &verified);
    if (sdi_token_decode(text, &none, &token) == SDI_TOKEN_GOOD) {
        check_token(&token);
        check_again(text, &token);
    } else {
        HOLDS(fault != SDI_TOKEN_GOOD);
    }
    sdi_free(exact);
    return 0;
}
