/* A Redis server's replies, in cuts of any length. Bytes that arrive in pieces mean what they mean at once; whatever
 * comes, an operation holds a whole value or none. */
#include "cache/redis/reply.h"
#include "cache/operation.h"
#include "cache/redis/command.h"
#include "fuzz.h"

#define EPOCH "0123456789abcdef"

enum { OPERATIONS = 6, SHORT = 64, LONG = 1 << 20, HEADROOM = 8 };

typedef struct conversation {
    sdi_cache_op operations[OPERATIONS];
    sdi_redis_reply expected[OPERATIONS];
    sdi_redis_replies replies;
    sdi_redis_trouble trouble;
    char sha[SDI_REDIS_SHA + 1];
    size_t fed;
} conversation;

static void expect(conversation *c, fuzz_input *in)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        c->operations[i] =
            (sdi_cache_op){.verb = (enum sdi_cache_verb)(fuzz_number(in, 1) % (SDI_CACHE_MERGE + 1)), .headroom = 8};
    for (size_t i = 0, used; i < OPERATIONS; i += used) {
        size_t gets = sdi_cache_gets(&c->operations[i], OPERATIONS - i);
        used = c->operations[i].verb == SDI_CACHE_GET ? gets : 1;
        c->expected[c->replies.count++] = sdi_redis_expect(&c->operations[i], used);
    }
    if (fuzz_number(in, 1) & 1)
        c->expected[0] = (sdi_redis_reply){.expect = SDI_REDIS_EXPECT_SHA, .text = c->sha};
    c->replies.list = c->expected;
    c->replies.mild = fuzz_number(in, 1) & 1;
    c->replies.value_max = fuzz_number(in, 1) & 1 ? SHORT : LONG;
    c->replies.outcome = SDI_REDIS_DONE;
    c->replies.epoch = EPOCH;
    c->replies.trouble = &c->trouble;
}

/* Feeds pieces of 1 to `most` bytes, or all at once, until no more is wanted. */
static void feed(conversation *c, sdi_slice bytes, size_t most)
{
    redisReader *reader = redisReaderCreateWithFunctions(&sdi_redis_reply_functions);
    HOLDS(reader);
    bool more = true;
    sdi_redis_replies *at = &c->replies;
    while (more && c->fed < bytes.length) {
        size_t left = bytes.length - c->fed, piece = most < left ? 1 + c->fed * 7 % most : left;
        piece = piece < left ? piece : left;
        char *exact = fuzz_exact((sdi_slice){bytes.data + c->fed, piece});
        more = sdi_redis_take(reader, &at, exact, piece);
        sdi_free(exact);
        c->fed += piece;
    }
    redisReaderFree(reader);
    HOLDS(c->replies.outcome != SDI_REDIS_NO_MEMORY);
    HOLDS(more || c->replies.outcome != SDI_REDIS_DONE || c->replies.done == c->replies.count);
}

static void check_operations(const conversation *c)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        const sdi_cache_op *operation = &c->operations[i];
        HOLDS(!operation->block || (operation->verb == SDI_CACHE_GET && operation->length <= c->replies.value_max));
        HOLDS(operation->verb != SDI_CACHE_GET || operation->found == (operation->block != NULL));
        HOLDS(!operation->block || operation->block[operation->headroom + operation->length] == '\0');
    }
}

static void free_conversation(conversation *c)
{
    sdi_cache_unset(c->operations, OPERATIONS);
    for (size_t i = 0; i < c->replies.count; i++)
        sdi_free(c->replies.list[i].target);
}

static bool is_done(const conversation *c)
{
    return c->replies.done == c->replies.count && c->replies.outcome == SDI_REDIS_DONE;
}

static void compare(const conversation *a, const conversation *b)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        const sdi_cache_op *x = &a->operations[i], *y = &b->operations[i];
        HOLDS(x->found == y->found && x->length == y->length && !x->block == !y->block);
        HOLDS(!x->block || !memcmp(x->block + HEADROOM, y->block + HEADROOM, x->length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size}, same = in;
    conversation whole = {.fed = 0}, cut = {.fed = 0};
    expect(&whole, &in);
    expect(&cut, &same);
    size_t most = 1 + fuzz_number(&in, 1) % 40;
    feed(&whole, fuzz_rest(&in), in.left + 1);
    feed(&cut, fuzz_rest(&in), most);
    check_operations(&whole);
    check_operations(&cut);
    bool too_long = whole.replies.value_max == SHORT; /* a long line is refused only when it comes in pieces */
    HOLDS(!is_done(&whole) || is_done(&cut) || too_long);
    if (is_done(&whole) && is_done(&cut))
        compare(&whole, &cut);
    free_conversation(&whole);
    free_conversation(&cut);
    return 0;
}
