#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <dirent.h>

// How many files are in a folder, hidden ones left out; -1 where there is
// none. Tests ask whether anything was left behind.
static inline int folder_entries(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

#endif
