/* A lock that a process holds on a folder: one file in it, which the kernel locks and which names its owner.
 *
 * The kernel's lock goes with the process, however it ends, also over NFS. Some cluster file systems have no such locks, or
 * keep them to one node; there the file's content decides: an owner on this host is dead when no process has its number and
 * start time, one on another host when it stopped to touch the file, which it does every two seconds. No clocks are
 * compared. */
#ifndef STRATA_FILES_LOCK_H
#define STRATA_FILES_LOCK_H

#include "base/error.h"

struct lock;

/* STRATA_EFILE when another process holds it, with its host, number and start. Takes a few seconds where the lock was left
 * behind by another host. */
struct lock *strata_lock_take(const char *path, strata_error *err);
void strata_lock_release(struct lock *lock); /* deletes the file; takes NULL */

#endif
