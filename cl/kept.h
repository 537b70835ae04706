/* What layers hand on, in kernels that read and write it as it is kept: -DKEPT=1 or 2 as half.h numbers the kinds, then with -DVW=1
 * (vector.h, which comes first). Without -DKEPT these are floats, LOADV and STOREV. */
#ifdef KEPT
#if VW != 1
#error "-D KEPT goes with -D VW=1"
#endif
#include "half.h"
typedef OF_KIND(STORED, KEPT) kept;
#define LOADK(p) OF_KIND(LOAD, KEPT)(0, p)
#define STOREK(v, p) OF_KIND(STORE, KEPT)(v, 0, p)
#else
typedef float kept;
#define LOADK(p) LOADV(p)
#define STOREK(v, p) STOREV(v, p)
#endif
