#include "harness/formats/mapped_file.h"

#include "harness/whole_file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((uintptr_t)4096)

/* Bytes that are hashed before their pages are dropped. */
#define PIECE ((size_t)4 << 20)

bool mapped_file_open(struct mapped_file *file, const char *path, struct error *e)
{
    *file = (struct mapped_file){0};
    int fd = whole_file_open(path, "weights file", SIZE_MAX >> 1, &file->size, e);
    if (fd < 0)
        return false;
    void *bytes =
        file->size > 0 ? mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    int why = errno;
    close(fd);
    if (bytes != MAP_FAILED)
        file->bytes = bytes;
    return file->size == 0 || file->bytes ||
           error_set(e, "cannot read the weights file %s: %s", path, strerror(why));
}

void mapped_file_close(struct mapped_file *file)
{
    if (file->bytes)
        munmap((void *)(uintptr_t)file->bytes, file->size);
    *file = (struct mapped_file){0};
}

void mapped_bytes_drop(const void *bytes, size_t size)
{
    uintptr_t begin = ((uintptr_t)bytes + PAGE - 1) & ~(PAGE - 1);
    uintptr_t end = ((uintptr_t)bytes + size) & ~(PAGE - 1);
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

static bool refuse_hash(struct error *e)
{
    return error_set(e, "libcrypto cannot compute a SHA-256 here");
}

bool sha256_begin(struct sha256 *hash, struct error *e)
{
    hash->context = EVP_MD_CTX_new();
    return (hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL)) ||
           refuse_hash(e);
}

bool sha256_add(struct sha256 *hash, const struct mapped_file *file, struct error *e)
{
    bool ok = true;
    for (size_t at = 0; ok && at < file->size; at += PIECE) {
        size_t size = file->size - at < PIECE ? file->size - at : PIECE;
        ok = EVP_DigestUpdate(hash->context, file->bytes + at, size);
        mapped_bytes_drop(file->bytes + at, size);
    }
    return ok || refuse_hash(e);
}

bool sha256_end(struct sha256 *hash, char text[65], struct error *e)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    bool ok = hash->context && EVP_DigestFinal_ex(hash->context, digest, NULL);
    EVP_MD_CTX_free(hash->context);
    for (int i = 0; i < 64; i++)
        text[i] = digits[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    text[64] = '\0';
    return ok || refuse_hash(e);
}
