// Which rows of a weight go through together, one in each lane.

// @begin rows
// The first row of a share that a group of lanes has, and how far the others
// are from each other.
typedef struct {
    int first, apart;
} row_group;

// Against few rows of x, time goes with reading the weight, and memory gives
// a core more when it reads at several places at once. So the share is cut
// in as many parts as there are lanes, and each lane walks through its own.
enum { FEW_ROWS = 16 };

// Panels of the share that are dealt so. Rows whose distance is a multiple of
// 4096 bytes want the same few places of the first cache, and one row more or
// less does not: then the last panel's rows are left out of the dealing.
static int panels_dealt(const kernel_tile *tile, int n_lanes)
{
    int n = tile->n_rows / KERNEL_PANEL;
    size_t distance = (size_t)(n * (KERNEL_PANEL / n_lanes))
                      * tile->row_bytes;
    if (tile->x->n_rows > FEW_ROWS)
        return 0;
    return n > 1 && (distance + 32) % 4096 < 64 ? n - 1 : n;
}

// Group i of the share: neighbours, where rows are not dealt.
static row_group rows_of_group(const kernel_tile *tile, int i, int n_lanes)
{
    int n_dealt = panels_dealt(tile, n_lanes) * (KERNEL_PANEL / n_lanes);
    if (i < n_dealt)
        return (row_group){i, n_dealt};
    return (row_group){i * n_lanes, 1};
}

// @end rows

// @begin rows-2
// The groups of a tile are first_panel * KERNEL_PANEL / n_lanes and so on.
static int groups_end(const kernel_tile *tile, int n_lanes)
{
    int end = tile->first_panel + tile->n_panels;
    int whole = tile->n_rows / KERNEL_PANEL;
    return (end < whole ? end : whole) * (KERNEL_PANEL / n_lanes);
}

// The rows that fill no panel: the taught text gives the same bits.
static bool tile_of_rest(const kernel_tile *tile, kernel_tile *rest)
{
    int whole = tile->n_rows / KERNEL_PANEL, n = whole * KERNEL_PANEL;
    *rest = *tile;
    rest->first_row += n;
    rest->n_rows -= n;
    rest->first_panel = 0;
    rest->out += n;
    return rest->n_rows > 0 && tile->first_panel + tile->n_panels > whole;
}
// @end rows-2
