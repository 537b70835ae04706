/* Faults on purpose, to test what follows from them: STRATA_FAULT=SITE:K:ACTION[@RANK],...
 *
 *   SITE     malloc  memory that the library asks for itself
 *            file    open, read, write, fsync, close, rename and the like, of the run folder, models and data
 *            opencl  calls of OpenCL
 *            mpi     calls of MPI
 *            grad    a training step's gradients, before they are added to those of other ranks
 *   K        which of the process's calls there, from 1
 *   ACTION   fail    it fails: no memory, EIO, CL_OUT_OF_RESOURCES, MPI_ERR_OTHER
 *            full    of a file: ENOSPC
 *            denied  of a file: EACCES
 *            nan     of grad, which cannot fail: one of them, of the weight in the middle, is no number
 *            kill    the process is killed with SIGKILL before it
 *            stall   it never returns; of a call that puts something into a queue of OpenCL: nothing queued from then on is done
 *            count   K is 0: the calls there are counted, and told as the process ends
 *   RANK     the rank that a launcher set; without it every rank
 *
 * Unless the variable is set, a call here costs the reading of one flag. */
#ifndef STRATA_BASE_FAULT_H
#define STRATA_BASE_FAULT_H

#include "base/error.h"

enum fault_site { FAULT_MALLOC, FAULT_FILE, FAULT_OPENCL, FAULT_MPI, FAULT_GRADIENT, FAULT_SITES };
enum fault { FAULT_NONE, FAULT_FAIL, FAULT_FULL, FAULT_DENIED, FAULT_NAN, FAULT_KILL, FAULT_STALL, FAULT_COUNT };

/* Counts a call that is about to be made and says what is to become of it: FAULT_NONE, FAULT_FAIL, FAULT_FULL, FAULT_DENIED, FAULT_NAN or, of a
 * site that can stall in a way of its own (FAULT_OPENCL), FAULT_STALL. The others happen here. Any thread. */
enum fault strata_fault(enum fault_site site);
/* For FAULT_FILE: whether the call fails; errno is set then. */
bool strata_file_fault(void);
/* Never returns. */
void strata_stall(void);
/* STRATA_EUSAGE when STRATA_FAULT cannot be read. */
bool strata_fault_check(strata_error *err);

#endif
