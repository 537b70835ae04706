/* Brings the cache line at `from` near, for rows that are short and lie apart, which no processor foresees. PoCL compiles
 * for the processor itself, and its prefetch() does nothing. FAR: to the second cache, and in inner loops, which a call would undo.
 * STORE: to be written. */
#if defined(__x86_64__) || defined(__aarch64__)
#define PREFETCH(from) __builtin_prefetch(from)
#define PREFETCH_FAR(from) __builtin_prefetch((from), 0, 2)
#define PREFETCH_STORE(to) __builtin_prefetch((to), 1)
#else
#define PREFETCH(from) prefetch((from), 1)
#define PREFETCH_FAR(from) ((void)(from))
#define PREFETCH_STORE(to) ((void)(to))
#endif
