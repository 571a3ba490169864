/* The ustar reader, on archives as they should be and as an enemy would make them. */
#include <stdio.h>
#include <stdlib.h>
#include "kernel/fs/ustar.h"
#include "kernel/lib/string.h"
#include "tests/host/harness.h"

#define BLOCK 512
#define CHECKSUM_AT 148
#define FUZZ_ROUNDS 200000

/* An archive under construction, in memory that ends where it ends: reading behind it is seen by the sanitizer. */
struct builder {
    u8 *bytes;
    size_t size;
};

static void append(struct builder *builder, const void *bytes, size_t size)
{
    builder->bytes = realloc(builder->bytes, builder->size + size);
    memcpy(builder->bytes + builder->size, bytes, size);
    builder->size += size;
}

static void set_checksum(u8 *header)
{
    unsigned sum = 0;

    memset(header + CHECKSUM_AT, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += header[i];
    (snprintf)((char *)header + CHECKSUM_AT, 8, "%06o", sum);
}

static void put_octal(u8 *field, size_t width, unsigned long value)
{
    (snprintf)((char *)field, width, "%0*lo", (int)width - 1, value);
}

/* A well-formed header for NAME with SIZE bytes; the caller may spoil it and set the checksum again. */
static void make_header(u8 *header, const char *name, char type, size_t size)
{
    memset(header, 0, BLOCK);
    memcpy(header, name, strnlen(name, 100));
    put_octal(header + 100, 8, 0755);
    put_octal(header + 108, 8, 12);
    put_octal(header + 116, 8, 34);
    put_octal(header + 124, 12, size);
    put_octal(header + 136, 12, 5678);
    header[156] = (u8)type;
    memcpy(header + 257, "ustar\0" "00", 8);
    put_octal(header + 329, 8, 0);
    put_octal(header + 337, 8, 0);
    set_checksum(header);
}

static void append_file(struct builder *builder, const char *name, const char *text)
{
    u8 header[BLOCK], padding[BLOCK] = { 0 };
    size_t size = strlen(text);

    make_header(header, name, '0', size);
    append(builder, header, BLOCK);
    append(builder, text, size);
    append(builder, padding, (BLOCK - size % BLOCK) % BLOCK);
}

static void append_end(struct builder *builder)
{
    u8 zeroes[2 * BLOCK] = { 0 };
    append(builder, zeroes, sizeof(zeroes));
}

static struct ustar_reader reader_of(const struct builder *builder)
{
    return (struct ustar_reader){ .archive = builder->bytes, .size = builder->size };
}

static void files_come_with_their_attributes_and_bytes(void **state)
{
    struct builder builder = { 0 };
    struct ustar_entry entry;

    (void)state;
    append_file(&builder, "./etc//motd", "hello");
    append_file(&builder, "empty", "");
    append_end(&builder);
    struct ustar_reader reader = reader_of(&builder);

    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
    assert_string_equal(entry.name, "etc/motd");
    assert_int_equal(entry.type, USTAR_FILE);
    assert_int_equal(entry.mode, 0755);
    assert_int_equal(entry.uid, 12);
    assert_int_equal(entry.gid, 34);
    assert_int_equal(entry.mtime, 5678);
    assert_int_equal(entry.size, 5);
    assert_memory_equal(entry.data, "hello", 5);
    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
    assert_string_equal(entry.name, "empty");
    assert_int_equal(entry.size, 0);
    assert_int_equal(ustar_next(&reader, &entry), USTAR_END);
    free(builder.bytes);
}

static void the_largest_bytes_have_a_right_sum(void **state)
{
    u8 header[BLOCK];
    struct ustar_entry entry;

    (void)state;
    make_header(header, "", '0', 0);
    memset(header, 0xff, 100);
    memset(header + 157, 0xff, 100);
    memset(header + 265, 0xff, 64);
    memset(header + 345, 0xff, 167);
    set_checksum(header);
    struct ustar_reader reader = { .archive = header, .size = BLOCK };
    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
}

static void an_archive_may_end_without_its_end_mark(void **state)
{
    struct builder builder = { 0 };
    struct ustar_entry entry;

    (void)state;
    append_file(&builder, "file", "x");
    struct ustar_reader reader = reader_of(&builder);
    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
    assert_int_equal(ustar_next(&reader, &entry), USTAR_END);

    reader = (struct ustar_reader){ .archive = builder.bytes, .size = 0 };
    assert_int_equal(ustar_next(&reader, &entry), USTAR_END);
    free(builder.bytes);
}

static void a_prefix_is_the_first_part_of_the_name(void **state)
{
    u8 header[BLOCK];
    struct ustar_entry entry;
    char prefix[155], name[100];

    (void)state;
    memset(prefix, 'p', sizeof(prefix));
    memset(name, 'n', sizeof(name));
    make_header(header, "", '0', 0);
    memcpy(header, name, sizeof(name));
    memcpy(header + 345, prefix, sizeof(prefix));
    set_checksum(header);
    struct ustar_reader reader = { .archive = header, .size = BLOCK };
    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
    assert_int_equal(strlen(entry.name), 256);
    assert_int_equal(entry.name[154], 'p');
    assert_int_equal(entry.name[155], '/');
    assert_int_equal(entry.name[255], 'n');
}

/* Reads the one entry of an archive that consists of HEADER, with its checksum set anew. */
static enum ustar_result read_spoiled(u8 *header, struct ustar_reader *reader, struct ustar_entry *entry)
{
    set_checksum(header);
    *reader = (struct ustar_reader){ .archive = header, .size = BLOCK };
    return ustar_next(reader, entry);
}

static void what_can_not_be_used_is_skipped(void **state)
{
    static const char *const climbing[] = { "..", "../x", "a/../b", "a/b/..", "./..", "/../etc/passwd" };
    u8 header[BLOCK];
    struct ustar_reader reader;
    struct ustar_entry entry;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(climbing); i++) {
        make_header(header, climbing[i], '0', 0);
        assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
        assert_non_null(reader.problem);
    }
    make_header(header, "/", '0', 0);
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
    for (const char *type = "LKxg89A"; *type; type++) {
        make_header(header, "name", *type, 0);
        assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
        assert_int_equal(strstr(reader.problem, "GNU or pax") != NULL, strchr("LKxg", *type) != NULL);
    }
    make_header(header, "link", '2', 0);
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
    make_header(header, "hard", '1', 0);
    memcpy(header + 157, "../up", 5);
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
    make_header(header, "name", '0', 0);
    header[101] = '9';
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_SKIPPED);
}

static void names_that_look_like_dots_are_names(void **state)
{
    static const char *const good[] = { "...", "..a", "a..", ".a/..b" };
    u8 header[BLOCK];
    struct ustar_reader reader;
    struct ustar_entry entry;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        make_header(header, good[i], '0', 0);
        assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_ENTRY);
        assert_string_equal(entry.name, good[i]);
    }
}

static void a_damaged_archive_is_not_read_on(void **state)
{
    static const unsigned long sizes[] = { 1, 511, 512, 077777777777 };
    u8 header[BLOCK];
    struct ustar_reader reader;
    struct ustar_entry entry;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        make_header(header, "name", '0', sizes[i]);
        assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_BROKEN);
    }
    make_header(header, "name", '0', 0);
    memset(header + 124, 0xff, 12);             /* GNU's binary sizes */
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_BROKEN);
    make_header(header, "name", '0', 0);
    header[257] = 'U';
    assert_int_equal(read_spoiled(header, &reader, &entry), USTAR_BROKEN);
    make_header(header, "name", '0', 0);
    header[0] ^= 1;                             /* and the checksum as it was */
    reader = (struct ustar_reader){ .archive = header, .size = BLOCK };
    assert_int_equal(ustar_next(&reader, &entry), USTAR_BROKEN);
    make_header(header, "name", '0', 0);
    for (size_t size = 1; size < BLOCK; size++) {
        u8 *cut = malloc(size);
        memcpy(cut, header, size);
        reader = (struct ustar_reader){ .archive = cut, .size = size };
        assert_int_equal(ustar_next(&reader, &entry), USTAR_BROKEN);
        free(cut);
    }
}

static void the_last_file_may_lack_its_padding(void **state)
{
    u8 *bytes = malloc(BLOCK + 3);
    struct ustar_entry entry;

    (void)state;
    make_header(bytes, "name", '0', 3);
    memcpy(bytes + BLOCK, "abc", 3);
    struct ustar_reader reader = { .archive = bytes, .size = BLOCK + 3 };
    assert_int_equal(ustar_next(&reader, &entry), USTAR_ENTRY);
    assert_memory_equal(entry.data, "abc", 3);
    assert_int_equal(ustar_next(&reader, &entry), USTAR_END);
    free(bytes);
}

/* Everything that an entry says must be usable, whatever the archive was. */
static void check_entry(const struct ustar_reader *reader, const struct ustar_entry *entry)
{
    assert_true(strnlen(entry->name, sizeof(entry->name)) < sizeof(entry->name));
    assert_true(strnlen(entry->link, sizeof(entry->link)) < sizeof(entry->link));
    assert_true(entry->data >= reader->archive);
    assert_true(entry->size <= reader->size - (u64)(entry->data - reader->archive));
    for (const char *at = entry->name; (at = strstr(at, "..")) != NULL; at++)
        assert_false((at == entry->name || at[-1] == '/') && (at[2] == '\0' || at[2] == '/'));
}

/* Changes a few bytes of a good archive, mends some checksums, cuts the end off, and reads it. */
static void no_archive_makes_the_reader_read_elsewhere(void **state)
{
    struct builder good = { 0 };
    u64 random = 42;

    (void)state;
    append_file(&good, "bin/program", "some bytes that make a file");
    append_file(&good, "etc/motd", "hello");
    append_file(&good, "empty", "");
    append_end(&good);
    for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
        size_t size = next_random(&random) % 4 ? good.size : next_random(&random) % (good.size + 1);
        u8 *bytes = malloc(size ? size : 1);
        memcpy(bytes, good.bytes, size);
        for (unsigned changes = next_random(&random) % 6; changes > 0 && size > 0; changes--)
            bytes[next_random(&random) % size] = (u8)next_random(&random);
        for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
            if (next_random(&random) % 4)
                set_checksum(bytes + at);
        }
        struct ustar_reader reader = { .archive = bytes, .size = size };
        struct ustar_entry entry;
        enum ustar_result result;
        unsigned entries = 0;
        while ((result = ustar_next(&reader, &entry)) == USTAR_ENTRY || result == USTAR_SKIPPED) {
            if (result == USTAR_ENTRY)
                check_entry(&reader, &entry);
            assert_true(++entries <= size / BLOCK);
        }
        free(bytes);
    }
    free(good.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_with_their_attributes_and_bytes),
        cmocka_unit_test(the_largest_bytes_have_a_right_sum),
        cmocka_unit_test(an_archive_may_end_without_its_end_mark),
        cmocka_unit_test(a_prefix_is_the_first_part_of_the_name),
        cmocka_unit_test(what_can_not_be_used_is_skipped),
        cmocka_unit_test(names_that_look_like_dots_are_names),
        cmocka_unit_test(a_damaged_archive_is_not_read_on),
        cmocka_unit_test(the_last_file_may_lack_its_padding),
        cmocka_unit_test(no_archive_makes_the_reader_read_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
