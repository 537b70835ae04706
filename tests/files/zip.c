/* Zip archives, and files that are replaced whole. */
#include "files/zip.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "files/archive.h"
#include "files/golden.h"

TestSuite(zip, .init = own_folder);
TestSuite(replace, .init = own_folder);

/* Where text is in bytes, or NULL. */
static char *find(char *bytes, size_t length, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= length; i++)
        if (memcmp(bytes + i, text, strlen(text)) == 0) return bytes + i;
    return NULL;
}

static void write_archive(const char *path)
{
    strata_error err = { 0 };
    struct zip_writer *zip = strata_zip_create(path, &err);
    cr_assert_not_null(zip, "%s", err.message);
    cr_assert(strata_zip_put(zip, "a.txt", "hello", 5, &err), "%s", err.message);
    cr_assert(strata_zip_put(zip, "folder/empty", "", 0, &err), "%s", err.message);
    cr_assert(strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_free(zip);
}

Test(zip, entries_are_stored_as_they_are_and_come_back)
{
    strata_error err = { 0 };
    struct names names = { 0 };
    void *bytes;
    size_t size;
    char raw[512];
    write_archive("a.zip");
    FILE *file = fopen("a.zip", "rb");
    const size_t length = fread(raw, 1, sizeof raw, file);
    fclose(file);
    cr_assert_not_null(find(raw, length, "a.txthello"), "deflated");
    struct archive *zip = strata_zip_open("a.zip", &err);
    cr_assert_not_null(zip, "%s", err.message);
    cr_assert(strata_zip_names(zip, &names, &err) && names.count == 2);
    cr_assert_str_eq(names.list[1], "folder/empty");
    cr_assert(strata_zip_read(zip, "a.txt", &bytes, &size, &err), "%s", err.message);
    cr_assert(size == 5 && strcmp(bytes, "hello") == 0);
    free(bytes);
    cr_assert(strata_zip_read(zip, "folder/empty", &bytes, &size, &err) && size == 0);
    free(bytes);
    cr_assert_not(strata_zip_read(zip, "b", &bytes, &size, &err));
    cr_assert_str_eq(err.message, "a.zip: it has no entry b");
    strata_names_release(&names);
    strata_zip_close(zip);
}

Test(zip, a_changed_bit_is_noticed)
{
    strata_error err = { 0 };
    void *bytes;
    size_t size;
    char raw[512];
    write_archive("a.zip");
    FILE *file = fopen("a.zip", "rb+");
    const size_t length = fread(raw, 1, sizeof raw, file);
    char *hello = find(raw, length, "hello");
    *hello ^= 1;
    rewind(file);
    fwrite(raw, 1, length, file);
    fclose(file);
    struct archive *zip = strata_zip_open("a.zip", &err);
    cr_assert_not_null(zip, "%s", err.message);
    cr_assert_not(strata_zip_read(zip, "a.txt", &bytes, &size, &err));
    cr_assert_null(bytes);
    cr_assert(strstr(err.message, "a.zip: entry a.txt is damaged"), "%s", err.message);
    strata_zip_close(zip);
}

/* The check value of CRC-32 that its catalogues give. */
Test(zip, checksums_are_crc_32_and_go_on)
{
    cr_assert_eq(strata_zip_checksum(0, "123456789", 9), 0xCBF43926u);
    cr_assert_eq(strata_zip_checksum(strata_zip_checksum(0, "1234", 4), "56789", 5), 0xCBF43926u);
    cr_assert_eq(strata_zip_checksum(0, "", 0), 0);
}

/* From memory that begins with a page and from such that does not. */
Test(zip, a_large_entry_begins_with_a_page_of_the_file)
{
    enum { SIZE = 300001, PAGE = 4096 };
    strata_error err = { 0 };
    char *pages = strata_alloc_pages(SIZE + 1, false, &err), first[8];
    void *bytes;
    size_t size;
    cr_assert_not_null(pages, "%s", err.message);
    for (size_t i = 0; i <= SIZE; i++) pages[i] = (char)(i % 251);
    memcpy(pages, "aligned.", 8);
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && strata_zip_put(zip, "a.txt", "hello", 5, &err), "%s", err.message);
    cr_assert(strata_zip_put(zip, "pages", pages, SIZE, &err), "%s", err.message);
    cr_assert(strata_zip_put(zip, "behind", pages + 1, SIZE, &err), "%s", err.message);
    cr_assert(strata_zip_put(zip, "b.txt", "bye", 3, &err) && strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_free(zip);
    FILE *file = fopen("a.zip", "rb");
    cr_assert(file && fseek(file, PAGE, SEEK_SET) == 0 && fread(first, 1, sizeof first, file) == sizeof first);
    cr_assert_eq(memcmp(first, "aligned.", sizeof first), 0);
    fclose(file);
    struct archive *archive = strata_zip_open("a.zip", &err);
    cr_assert_not_null(archive, "%s", err.message);
    cr_assert(strata_zip_read(archive, "pages", &bytes, &size, &err) && size == SIZE, "%s", err.message);
    cr_assert_eq(memcmp(bytes, pages, SIZE), 0);
    free(bytes);
    cr_assert(strata_zip_read(archive, "behind", &bytes, &size, &err) && size == SIZE, "%s", err.message);
    cr_assert_eq(memcmp(bytes, pages + 1, SIZE), 0);
    free(bytes);
    cr_assert(strata_zip_read(archive, "b.txt", &bytes, &size, &err) && strcmp(bytes, "bye") == 0, "%s", err.message);
    free(bytes);
    strata_zip_close(archive);
    free(pages);
}

/* Which only the records of zip64 can count. */
Test(zip, there_may_be_more_entries_than_sixteen_bits_count)
{
    enum { ENTRIES = 65537 };
    strata_error err = { 0 };
    struct names names = { 0 };
    char name[32];
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert_not_null(zip, "%s", err.message);
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof name, "%d", i);
        cr_assert(strata_zip_put(zip, name, name, 1, &err), "%s", err.message);
    }
    cr_assert(strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_free(zip);
    struct archive *archive = strata_zip_open("a.zip", &err);
    cr_assert_not_null(archive, "%s", err.message);
    cr_assert(strata_zip_names(archive, &names, &err) && names.count == ENTRIES);
    cr_assert_str_eq(names.list[ENTRIES - 1], "65536");
    strata_names_release(&names);
    strata_zip_close(archive);
}

Test(zip, names_may_be_of_any_script)
{
    strata_error err = { 0 };
    void *bytes;
    size_t size;
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && strata_zip_put(zip, "größe/层", "x", 1, &err) && strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_free(zip);
    struct archive *archive = strata_zip_open("a.zip", &err);
    cr_assert(archive && strata_zip_read(archive, "größe/层", &bytes, &size, &err) && size == 1, "%s", err.message);
    free(bytes);
    strata_zip_close(archive);
}

Test(zip, a_name_that_is_too_long_is_refused)
{
    enum { LENGTH = 65536 };
    strata_error err = { 0 };
    static char name[LENGTH + 1];
    memset(name, 'n', LENGTH);
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && !strata_zip_put(zip, name, "x", 1, &err));
    cr_assert_str_eq(err.message, "a.zip: an entry's name of 65536 bytes; 65535 are the most");
    strata_zip_free(zip);
}

static size_t count_files(void)
{
    DIR *folder = opendir(".");
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void check_content(const char *path, const char *expected)
{
    char read[64] = "";
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    read[fread(read, 1, sizeof read - 1, file)] = '\0';
    fclose(file);
    cr_assert_str_eq(read, expected);
}

Test(zip, replaces_a_file_only_when_it_is_committed)
{
    strata_error err = { 0 };
    cr_assert(strata_file_replace("a.zip", "old", 3, &err), "%s", err.message);
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && strata_zip_put(zip, "a.txt", "hello", 5, &err), "%s", err.message);
    strata_zip_free(zip);
    check_content("a.zip", "old");
    cr_assert_eq(count_files(), 1);
}

Test(zip, that_finds_no_room_says_so_and_leaves_the_file_as_it_was)
{
    strata_error err = { 0 };
    static const char zeroes[10000];
    cr_assert(strata_file_replace("a.zip", "old", 3, &err), "%s", err.message);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 9000, 9000 }), 0);
    struct zip_writer *zip = strata_zip_create("a.zip", &err);
    cr_assert_not(strata_zip_put(zip, "zeroes", zeroes, sizeof zeroes, &err));
    cr_assert(strstr(err.message, "a.zip: cannot be written: File too large"), "%s", err.message);
    strata_zip_free(zip);
    check_content("a.zip", "old");
    cr_assert_eq(count_files(), 1);
}

Test(replace, makes_a_file_and_replaces_it_and_leaves_nothing_beside)
{
    strata_error err = { 0 };
    cr_assert(strata_file_replace("a", "one", 3, &err), "%s", err.message);
    check_content("a", "one");
    cr_assert(strata_file_replace("a", "two!", 4, &err), "%s", err.message);
    check_content("a", "two!");
    cr_assert_eq(count_files(), 1);
}

Test(replace, follows_a_link_to_the_file_itself)
{
    strata_error err = { 0 };
    struct stat there;
    cr_assert(strata_file_replace("a", "one", 3, &err) && symlink("a", "link") == 0);
    cr_assert(strata_file_replace("link", "two", 3, &err), "%s", err.message);
    check_content("a", "two");
    cr_assert(lstat("link", &there) == 0 && S_ISLNK(there.st_mode));
}

Test(replace, says_why_it_cannot)
{
    strata_error err = { 0 };
    cr_assert_not(strata_file_replace("no/such/folder/a", "one", 3, &err));
    cr_assert_str_eq(err.message, "no/such/folder/a: cannot be written: No such file or directory");
    cr_assert_eq(err.code, STRATA_EFILE);
    cr_assert(mkdir("folder", 0777) == 0);
    cr_assert_not(strata_file_replace("folder", "one", 3, &err));
    cr_assert(strstr(err.message, "not a regular file"), "%s", err.message);
}

/* /dev/full would not do: what is replaced must be a regular file on a disk that is full. */
Test(replace, keeps_the_old_file_when_the_new_one_cannot_be_written)
{
    strata_error err = { 0 };
    char name[300];
    memset(name, 'x', sizeof name);
    name[250] = '\0'; /* fits a file name, with ".part-..." it does not */
    FILE *file = fopen(name, "wb");
    cr_assert_not_null(file);
    fputs("old", file);
    fclose(file);
    cr_assert_not(strata_file_replace(name, "new", 3, &err));
    check_content(name, "old");
    cr_assert_eq(count_files(), 1);
}
