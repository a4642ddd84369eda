#include "harness/formats/hdf5_file.h"

#include "harness/formats/hdf5_datasets.h"
#include "harness/formats/keras_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER "resmark-hdf5"

enum {
    CHILD_SECONDS = 20,      /* of CPU time */
    CHILD_MEMORY = 64 << 20, /* besides the file's size and what the process has already */
    CHILD_NOT_STARTED = 127, /* its exit status then, and of one that lacks a shared library */
    MAX_LISTING = 32 << 20,  /* bytes that the child may say: some 100,000 datasets */
};

bool hdf5_probe(const unsigned char *bytes, size_t size)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    return size >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0;
}

/* The program that has the library is where this one is. */
static bool helper_path(char path[PATH_MAX], struct error *e)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - sizeof HELPER);
    char *slash = length > 0 ? memrchr(path, '/', (size_t)length) : NULL;
    if (slash)
        strcpy(slash + 1, HELPER);
    return (slash && access(path, X_OK) == 0) ||
           error_set(e, "an HDF5 file, but " HELPER ", which reads those, is not beside this "
                        "program; build both (scripts/setup, then ninja -C BUILD programs), or "
                        "convert the file to safetensors");
}

/* Never returns. The library may do its worst here. */
static void be_child(const char *helper, const char *path, size_t file_size, int to)
{
    rlim_t memory = file_size + CHILD_MEMORY;
    int silence = open("/dev/null", O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(to, STDOUT_FILENO);
    dup2(silence, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setrlimit(RLIMIT_CPU, &(struct rlimit){CHILD_SECONDS, CHILD_SECONDS});
    setrlimit(RLIMIT_AS, &(struct rlimit){memory, memory});
    char *arguments[] = {(char *)(uintptr_t)helper, (char *)(uintptr_t)path, NULL};
    char *environment[] = {"HDF5_USE_FILE_LOCKING=FALSE", NULL};
    execve(helper, arguments, environment);
    _exit(CHILD_NOT_STARTED);
}

/* What the child says until it ends; the bytes are to be freed. */
static unsigned char *read_listing(int from, size_t *size)
{
    unsigned char *listing = malloc(MAX_LISTING);
    ssize_t got = listing ? 1 : 0;
    *size = 0;
    while (got > 0 || (got < 0 && errno == EINTR)) {
        got = *size < MAX_LISTING ? read(from, listing + *size, MAX_LISTING - *size) : 0;
        *size += got > 0 ? (size_t)got : 0;
    }
    return listing;
}

/* Says why there is no listing. */
static void refuse_child(pid_t child, int status, struct error *e)
{
    if (child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NOT_STARTED))
        error_set(e, HELPER ", which is beside this program and reads HDF5 files, cannot be "
                            "started; run it by hand to see why");
    else
        error_set(e, WIFSIGNALED(status)
                         ? "the HDF5 library breaks down over it; the file is damaged"
                         : "the HDF5 library cannot read it; the file is damaged or incomplete");
}

static unsigned char *list_in_child(const char *path, size_t file_size, size_t *size,
                                    struct error *e)
{
    int ends[2];
    char helper[PATH_MAX];
    if (!helper_path(helper, e))
        return NULL;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set(e, "cannot begin to read it: %s", strerror(errno));
        return NULL;
    }
    pid_t child = fork();
    if (child == 0)
        be_child(helper, path, file_size, ends[1]);
    close(ends[1]);
    unsigned char *listing = child > 0 ? read_listing(ends[0], size) : NULL;
    close(ends[0]);
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (listing && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return listing;
    free(listing);
    refuse_child(child, status, e);
    return NULL;
}

struct source {
    const unsigned char *bytes;
    size_t size;
};

static bool add_dataset(struct tensor_table *table, const struct source *source,
                        const struct hdf5_record *record, const char *name, struct error *e)
{
    struct file_tensor t = {.name = name, .rank = record->rank};
    t.dtype = dtype_by_name(record->dtype);
    if (!t.dtype)
        return error_set(e, "tensor %.*s: its type is none of the weights'; F32 was expected",
                         TENSOR_NAME_SHOWN, name);
    if (t.rank < 0 || t.rank > TENSOR_MAX_RANK)
        return error_set(e, "tensor %.*s: it has more than %d dimensions", TENSOR_NAME_SHOWN, name,
                         TENSOR_MAX_RANK);
    if (!record->plain)
        return error_set(e,
                         "tensor %.*s: its numbers are in chunks, compressed, or not there; one "
                         "contiguous piece was expected: h5repack -f NONE -l CONTI makes it",
                         TENSOR_NAME_SHOWN, name);
    if (record->offset > source->size || record->size > source->size - record->offset)
        return error_set(e,
                         "tensor %.*s: its bytes are outside of the file's %zu; it is incomplete",
                         TENSOR_NAME_SHOWN, name, source->size);
    memcpy(t.dims, record->dims, sizeof t.dims);
    return file_tensor_place(&t, source->bytes + record->offset, record->size, e) &&
           tensor_table_add(table, &t, e);
}

struct listing {
    const unsigned char *at, *end;
};

/* The next record and its path; false at the end. */
static bool next_record(struct listing *l, struct hdf5_record *record, char path[HDF5_PATH_SIZE])
{
    if ((size_t)(l->end - l->at) < sizeof *record)
        return false;
    memcpy(record, l->at, sizeof *record);
    l->at += sizeof *record;
    record->dtype[sizeof record->dtype - 1] = '\0';
    record->layer[sizeof record->layer - 1] = '\0';
    if (record->path_length == 0 || record->path_length >= HDF5_PATH_SIZE ||
        record->path_length > (size_t)(l->end - l->at))
        return false;
    memcpy(path, l->at, record->path_length);
    path[record->path_length] = '\0';
    l->at += record->path_length;
    return true;
}

static bool take_listing(struct tensor_table *table, const struct source *source,
                         const struct listing *all, struct error *e)
{
    struct hdf5_record record;
    char path[HDF5_PATH_SIZE], name[KERAS_NAME_SIZE];
    struct listing l = *all;
    bool in_model = false;
    while (next_record(&l, &record, path))
        in_model = in_model || keras_in_model(path);
    if (l.at != l.end || record.path_length != 0)
        return error_set(e, "it has too many datasets, or one with too long a path");
    for (l = *all; next_record(&l, &record, path);) {
        if (!keras_weight_name(path, record.layer, in_model, name, e) ||
            (*name && !add_dataset(table, source, &record, name, e)))
            return false;
    }
    return tensor_table_sort(table, e);
}

bool hdf5_parse(struct tensor_table *table, const char *path, const unsigned char *bytes,
                size_t size, struct error *e)
{
    size_t listed;
    const struct source source = {bytes, size};
    unsigned char *listing = list_in_child(path, size, &listed, e);
    if (!listing)
        return false;
    const struct listing all = {listing, listing + listed};
    bool ok = take_listing(table, &source, &all, e);
    free(listing);
    return ok;
}

bool hdf5_parse_bytes(struct tensor_table *table, const unsigned char *bytes, size_t size,
                      struct error *e)
{
    char path[64];
    int file = memfd_create("resmark-hdf5", MFD_CLOEXEC);
    size_t done = 0;
    for (ssize_t wrote = 1; file >= 0 && done < size && wrote > 0; done += (size_t)wrote) {
        wrote = write(file, bytes + done, size - done);
        wrote = wrote > 0 ? wrote : 0;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    bool ok = done == size && file >= 0 ? hdf5_parse(table, path, bytes, size, e)
                                        : error_set(e, "no memory for a copy of its bytes");
    if (file >= 0)
        close(file);
    return ok;
}
