/** Made-up /proc and /sys trees in a temporary directory. */
#ifndef RESMARK_TESTS_FAKE_ROOT_H
#define RESMARK_TESTS_FAKE_ROOT_H

#include <criterion/criterion.h>

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/** Makes an empty tree; fake_root_remove() removes it. */
static inline void fake_root_make(char root[PATH_MAX])
{
    strcpy(root, "/tmp/resmark-root-XXXXXX");
    cr_assert(mkdtemp(root), "cannot make a directory");
}

/** Writes a file with all directories above it. */
static inline void fake_root_write(const char *root, const char *path, const char *content)
{
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *f = fopen(full, "w");
    cr_assert(f, "cannot write %s", full);
    fputs(content, f);
    fclose(f);
}

static inline int fake_root_remove_entry(const char *path, const struct stat *status, int type,
                                         struct FTW *ftw)
{
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

static inline void fake_root_remove(const char *root)
{
    nftw(root, fake_root_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
