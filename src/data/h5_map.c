/* HDF5 files as bytes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "data/h5_check.h"

bool strata_h5_map_open(struct h5_map *map, const char *path, strata_error *err)
{
    struct stat there;
    const int file = strata_file_fault() ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *map = (struct h5_map){ .path = path };
    if (file < 0 || fstat(file, &there) != 0 || !S_ISREG(there.st_mode)) {
        const int error = errno;
        if (file >= 0) close(file);
        return strata_fail_native(err, STRATA_EFILE, error, "%s: cannot be opened: %s", path,
                                  file < 0 ? strerror(error) : "not a regular file");
    }
    const size_t size = (size_t)there.st_size;
    void *bytes = size > 0 ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    const int error = size > 0 ? errno : 0;
    close(file);
    if (bytes == MAP_FAILED)
        return strata_fail_native(err, STRATA_EFILE, error, "%s: %s", path, size > 0 ? strerror(error) : "it is empty");
    map->bytes = bytes;
    map->size = size;
    return true;
}

void strata_h5_map_close(struct h5_map *map)
{
    if (map->bytes) munmap(map->bytes, map->size);
    *map = (struct h5_map){ 0 };
}
