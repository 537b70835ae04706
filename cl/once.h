/* A function that stays one. PoCL makes three functions of a kernel, with all of its code in each, and compiles them all; a part that is
 * called is compiled once. Worth it where the call is little of the work. What it calls may ask for no id. */
#define ONCE static __attribute__((noinline))
