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
    struct archive *zip = strata_zip_create(path, &err);
    cr_assert_not_null(zip, "%s", err.message);
    cr_assert(strata_zip_put(zip, "a.txt", "hello", 5, &err), "%s", err.message);
    cr_assert(strata_zip_put(zip, "folder/empty", "", 0, &err), "%s", err.message);
    cr_assert(strata_zip_commit(zip, &err), "%s", err.message);
    strata_zip_close(zip);
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
    struct archive *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && strata_zip_put(zip, "a.txt", "hello", 5, &err), "%s", err.message);
    strata_zip_close(zip);
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
    struct archive *zip = strata_zip_create("a.zip", &err);
    cr_assert(zip && strata_zip_put(zip, "zeroes", zeroes, sizeof zeroes, &err), "%s", err.message);
    cr_assert_not(strata_zip_commit(zip, &err));
    cr_assert(strstr(err.message, "a.zip: cannot be written: File too large"), "%s", err.message);
    strata_zip_close(zip);
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
