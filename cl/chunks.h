/* A work-item that goes along the rows of a matrix takes -D CHUNKS times VW neighbouring columns: on processors as many as come
 * to most of a row, so that what is read lies one behind the other. After vector.h. */
#ifndef CHUNKS
#error "chunks.h needs -D CHUNKS"
#endif

#define CLEAR_CHUNKS(sum) for (int c = 0; c < CHUNKS; c++) (sum)[c] = 0.0f
#define STORE_CHUNKS(sum, to) for (int c = 0; c < CHUNKS; c++) STOREV((sum)[c], (to) + c * VW)
