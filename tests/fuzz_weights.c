/**
 * A libFuzzer entry over the readers of weights files, all three by their first bytes. Numbers are
 * not reached, since a whole network is too large for a fuzzer; everything before them is. HDF5
 * files are opened by resmark-hdf5, which has to be beside the fuzzer.
 */
#include "harness/formats/weights_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weights_file file;
    struct error e = {""};
    if (weights_file_parse(&file, data, size, "fuzz", &e)) {
        check(file.network.net.node_count > 0 && file.table.count > 0);
        weights_file_close(&file);
    } else {
        check(strncmp(e.text, "fuzz: ", 6) == 0 && e.text[6]);
        check(!file.table.tensors && !file.network.bindings && !file.externals);
    }
    return 0;
}
