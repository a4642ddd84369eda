#include "harness/formats/hdf5_datasets.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

static const char *dtype_name(hid_t type)
{
    if (H5Tequal(type, H5T_IEEE_F32LE) > 0)
        return "F32";
    if (H5Tequal(type, H5T_IEEE_F64LE) > 0)
        return "F64";
    return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 8 ? "I64" : "other";
}

static void describe_shape(hid_t dataset, struct hdf5_record *record)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t dims[H5S_MAX_RANK] = {0};
    record->rank = H5Sget_simple_extent_ndims(space);
    if (record->rank > TENSOR_MAX_RANK)
        record->rank = -1;
    else if (H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        record->rank = -1;
    for (int i = 0; i < record->rank; i++)
        record->dims[i] = dims[i];
    H5Sclose(space);
}

static void describe_place(hid_t dataset, struct hdf5_record *record)
{
    hid_t list = H5Dget_create_plist(dataset);
    haddr_t offset = H5Dget_offset(dataset);
    record->plain = H5Pget_layout(list) == H5D_CONTIGUOUS && H5Pget_external_count(list) == 0 &&
                    offset != HADDR_UNDEF;
    record->offset = offset;
    record->size = H5Dget_storage_size(dataset);
    H5Pclose(list);
}

/* Reads a string of any of HDF5's two kinds. */
static void read_text(hid_t attribute, char *text, size_t size)
{
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    bool one = H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1;
    char *variable = NULL;
    if (one && H5Tis_variable_str(type) > 0) {
        if (H5Aread(attribute, type, &variable) >= 0 && variable && strlen(variable) < size)
            strcpy(text, variable);
        H5free_memory(variable);
    } else if (one && H5Tget_size(type) < size && H5Aread(attribute, type, text) < 0) {
        *text = '\0';
    }
    H5Sclose(space);
    H5Tclose(type);
}

/* The attribute "name" of the group that the dataset is in. */
static void describe_layer(hid_t file, const char *path, struct hdf5_record *record)
{
    char group_path[HDF5_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) >= sizeof group_path)
        return;
    memcpy(group_path, path, (size_t)(slash - path));
    group_path[slash - path] = '\0';
    hid_t group = H5Oopen(file, group_path, H5P_DEFAULT);
    hid_t attribute =
        H5Aexists(group, "name") > 0 ? H5Aopen(group, "name", H5P_DEFAULT) : H5I_INVALID_HID;
    if (attribute >= 0)
        read_text(attribute, record->layer, sizeof record->layer);
    H5Aclose(attribute);
    H5Oclose(group);
}

static herr_t visit(hid_t file, const char *path, const H5O_info_t *info, void *context)
{
    (void)context;
    struct hdf5_record record;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0)
        return -1;
    hid_t type = H5Dget_type(dataset);
    memset(&record, 0, sizeof record);
    record.path_length = (uint32_t)strlen(path);
    strcpy(record.dtype, dtype_name(type));
    describe_shape(dataset, &record);
    describe_place(dataset, &record);
    describe_layer(file, path, &record);
    H5Tclose(type);
    H5Dclose(dataset);
    fwrite(&record, sizeof record, 1, stdout);
    fwrite(path, 1, record.path_length, stdout);
    return ferror(stdout) ? -1 : 0;
}

int main(int argc, char **argv)
{
    const struct hdf5_record last = {0};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = argc == 2 ? H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT) : -1;
    if (file < 0 || H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit, NULL) < 0)
        return 1;
    fwrite(&last, sizeof last, 1, stdout);
    return fflush(stdout) != 0;
}
