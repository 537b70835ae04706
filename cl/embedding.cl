/* Rows of a table (rows, columns) by integer indices. An index outside the table gives NaN, which a run that watches its loss
 * sees, and has no gradient. */

/* y[i, .] = table[index[i], .]. Dimension 0 columns, 1 indices. */
kernel void forward(global const int *index, ulong index0, global const float *table, ulong table0, global float *y,
                    ulong y0, int rows, int columns, int n)
{
    const int j = get_global_id(0), i = get_global_id(1);
    if (j >= columns || i >= n) return;
    const int row = index[index0 + i];
    y[y0 + (ulong)i * columns + j] = row < 0 || row >= rows ? NAN : table[table0 + (ulong)row * columns + j];
}

/* dtable[index[i], .] += dy[i, .] in the order of i, and squares (may be null) += dy^2; both were zeroed. Dimension 0 columns, 1 shares of the rows:
 * row r belongs to share r % shares, so that no two work-items add to one element. */
kernel void gradient(global const int *index, ulong index0, global const float *dy, ulong dy0, global float *dtable,
                     ulong dtable0, global float *squares, ulong squares0, int rows, int columns, int n, int shares)
{
    const int j = get_global_id(0), share = get_global_id(1);
    if (j >= columns || share >= shares) return;
    for (int i = 0; i < n; i++) {
        const int row = index[index0 + i];
        if (row < 0 || row >= rows || row % shares != share) continue;
        const float d = dy[dy0 + (ulong)i * columns + j];
        dtable[dtable0 + (ulong)row * columns + j] += d;
        if (squares) squares[squares0 + (ulong)row * columns + j] += d * d;
    }
}
