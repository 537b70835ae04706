#ifndef STRATA_BASE_FOLDERS_H
#define STRATA_BASE_FOLDERS_H

/* Makes the folders in which a file or folder lies, as far as they are missing. What is wrong with them shows when that one is made.
 * The path is written to, and as before afterwards. */
void strata_make_parents(char *path);

#endif
