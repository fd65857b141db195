/* An answer goes into an entry and comes out as it was; a byte that changed on the way makes a miss, or changes
 * nothing. */
#include "fresh/entry.h"
#include "fuzz.h"

enum { COLUMNS_MAX = 5, CELLS_MAX = 200, HEADROOM = sizeof(shopdata_result) + 8 };

static shopdata_result *build(fuzz_input *in)
{
    sdi_result_builder builder = SDI_RESULT_BUILDER_INIT;
    size_t columns = fuzz_below(in, COLUMNS_MAX);
    for (size_t i = 0; i < columns; i++) {
        char name[64] = "";
        sdi_slice text = fuzz_text(in);
        memcpy(name, text.data, text.length < sizeof name ? text.length : sizeof name - 1);
        sdi_result_column(&builder, name, (uint32_t)fuzz_number(in, 2));
    }
    for (size_t cells = columns * fuzz_below(in, CELLS_MAX / COLUMNS_MAX); cells; cells--) {
        bool null = fuzz_number(in, 1) & 1;
        sdi_slice text = fuzz_text(in);
        sdi_result_cell(&builder, null ? NULL : text.data, text.length);
    }
    shopdata_result *answer = sdi_result_build(&builder);
    HOLDS(answer);
    snprintf(answer->node, sizeof answer->node, "node%u", (unsigned)fuzz_number(in, 1));
    answer->read_at = (int64_t)fuzz_number(in, 8);
    return answer;
}

static sdi_stamp stamp_of(fuzz_input *in)
{
    sdi_stamp stamp = {.era = {fuzz_number(in, 8), (uint32_t)fuzz_number(in, 2)}, .standby = fuzz_number(in, 1) & 1};
    stamp.lsn = fuzz_number(in, 8);
    stamp.snapshot.count = (uint32_t)fuzz_below(in, SDI_SNAPSHOT_RUNNING_MAX + 1);
    stamp.snapshot.xmin = stamp.snapshot.xmax = fuzz_number(in, 4) + 1;
    for (uint32_t i = 0; i < stamp.snapshot.count; i++) {
        stamp.snapshot.running[i] = stamp.snapshot.xmax;
        stamp.snapshot.xmax += 1 + fuzz_number(in, 1);
    }
    return stamp;
}

static bool same_stamp(const sdi_stamp *a, const sdi_stamp *b)
{
    sdi_buffer bytes = SDI_BUFFER_INIT;
    sdi_stamp_encode(a, &bytes);
    size_t length = bytes.length;
    sdi_stamp_encode(b, &bytes);
    bool same = bytes.length == 2 * length && !memcmp(bytes.data, bytes.data + length, length);
    sdi_buffer_free(&bytes);
    return same;
}

static enum sdi_entry_state reopen(sdi_slice bytes, sdi_slice identity, const shopdata_result *answer,
                                   const sdi_entry *entry)
{
    shopdata_result *found = NULL;
    sdi_entry about;
    sdi_entry_block kept = {sdi_malloc(HEADROOM + bytes.length + 1), HEADROOM, bytes.length, answer->rows_length};
    HOLDS(kept.block);
    memcpy(kept.block + HEADROOM, bytes.data, bytes.length + 1);
    enum sdi_entry_state state = sdi_entry_open(&kept, identity, &found, &about);
    sdi_free(kept.block);
    if (state != SDI_ENTRY_GOOD)
        return state;
    HOLDS(found->rows_length == answer->rows_length && !memcmp(found->rows, answer->rows, answer->rows_length));
    HOLDS(found->read_at == answer->read_at && !strcmp(found->node, answer->node));
    HOLDS(found->source == SHOPDATA_FROM_CACHE && same_stamp(&about.stamp, &entry->stamp));
    HOLDS(about.expires_at == entry->expires_at);
    shopdata_result_free(found);
    return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    shopdata_result *answer = build(&in);
    sdi_entry about = {.stamp = stamp_of(&in), .expires_at = (int64_t)fuzz_number(&in, 8)};
    size_t compress_over = fuzz_number(&in, 2);
    sdi_slice identity = fuzz_text(&in), other = {"another", 7};
    sdi_buffer entry = SDI_BUFFER_INIT;
    sdi_entry_encode(answer, &about, identity, compress_over, &entry);
    HOLDS(!entry.failed);
    HOLDS(reopen(fuzz_slice(&entry), identity, answer, &about) == SDI_ENTRY_GOOD);
    if (!sdi_slice_equal(identity, other))
        HOLDS(reopen(fuzz_slice(&entry), other, answer, &about) == SDI_ENTRY_FOREIGN);
    while (in.left) {
        entry.data[fuzz_number(&in, 3) % entry.length] ^= (char)fuzz_number(&in, 1);
        reopen(fuzz_slice(&entry), identity, answer, &about);
        size_t cut = fuzz_number(&in, 3) % entry.length;
        HOLDS(reopen((sdi_slice){entry.data, cut}, identity, answer, &about) != SDI_ENTRY_GOOD);
    }
    sdi_buffer_free(&entry);
    shopdata_result_free(answer);
    return 0;
}
