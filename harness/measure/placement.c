#include "harness/measure/placement.h"

#include <stdbool.h>
#include <stdlib.h>

/* What is still free. */
struct room {
    const struct topology *topology;
    int candidates; /* the first positions of the pin order are to be used */
    bool *taken;
};

static int free_in(const struct room *room, int node)
{
    int count = 0;
    for (int i = 0; i < room->candidates; i++)
        count += !room->taken[i] && room->topology->pin_nodes[i] == node;
    return count;
}

/* The node with most room; of equal ones that of the first free position. */
static int emptiest(const struct room *room)
{
    int best = -1, most = 0;
    for (int i = 0; i < room->candidates; i++) {
        int count = room->taken[i] ? 0 : free_in(room, room->topology->pin_nodes[i]);
        if (count > most) {
            most = count;
            best = room->topology->pin_nodes[i];
        }
    }
    return best;
}

/* Takes up to `threads` positions of the node, or of any when it is -1; returns how many. */
static int take(struct room *room, int node, int threads, int *positions)
{
    int count = 0;
    for (int i = 0; i < room->candidates && count < threads; i++) {
        if (room->taken[i] || (node >= 0 && room->topology->pin_nodes[i] != node))
            continue;
        room->taken[i] = true;
        positions[count++] = i;
    }
    return count;
}

int placement_make(const struct topology *topology, int instances, int threads, int *positions)
{
    int needed = instances * threads, spread = 0;
    if (needed > topology->allowed_pus)
        return -1;
    bool *taken = calloc((size_t)topology->allowed_pus, sizeof *taken);
    if (!taken)
        return -1;
    struct room room = {topology, topology->allowed_pus, taken};
    if (needed <= topology->allowed_cores)
        room.candidates = topology->allowed_cores;
    for (int i = 0; i < instances; i++) {
        int *own = positions + (size_t)i * (size_t)threads;
        int node = i == 0 ? topology->pin_nodes[0] : emptiest(&room);
        int got = take(&room, node, threads, own);
        if (got < threads)
            take(&room, -1, threads - got, own + got);
        spread += got < threads;
    }
    free(taken);
    return spread;
}
