/* Where leaks count: in the processes of the tests. Criterion's runner, which starts them, loses a few bytes of its own
 * from time to time. BoxFort names the memory that it shares with a test's process in that process's environment. */
#include <stdlib.h>

__attribute__((visibility("default"))) int __lsan_is_turned_off(void); /* LeakSanitizer asks before it looks */

int __lsan_is_turned_off(void)
{
    return getenv("BXFI_MAP") == NULL;
}
