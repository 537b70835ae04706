/* Kernels whose work-items stay alone. Intel's compiler for CPUs makes vectors of work-items, which takes three to five times as long as all else
 * where their code is long, though they have vectors of their own; and work-items that are left over are rounded otherwise than those in
 * a vector, so that the bits of a row would depend on how many there are. Other compilers do not know the attribute. */
#define ALONE __attribute__((intel_vec_len_hint(1)))
