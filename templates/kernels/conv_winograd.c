/* A convolution by Winograd's algorithm@TEXT@: computes the share of thread `thread` of `threads` of strips [from_strip, to_strip), whose
 * weights are at c->w. `scratch` is the thread's own: V unless it is shared, then M. Tiles are read from `x`. */
OUTLINE void @NAME@(const winograd *c, const float *x, const float *weights, float *arena, float *scratch@SLOTS@,
                    const int from_strip, const int to_strip, const int thread, const int threads)
{
    const int elements = (c->m + 2) * (c->m + 2), depth = c->in_blocks * BLOCK;
    const int all = c->images * ((c->rows + c->m - 1) / c->m) * ((c->cols + c->m - 1) / c->m); /* tiles */
    const int blocks = (all + c->tiles - 1) / c->tiles, strips = to_strip - from_strip;
    float *v = c->shared ? arena + c->v : scratch, *m = c->shared ? scratch : scratch + elements * c->v_plane;
    const int from = c->shared ? 0 : (int)((int64_t)blocks * thread / threads);
    const int to = c->shared ? blocks : (int)((int64_t)blocks * (thread + 1) / threads);
    for (int i = from; i < to; i++) {
        const int first = i * c->tiles, tiles = all - first < c->tiles ? all - first : c->tiles, units = c->in_blocks * tiles;
        if (!c->shared) {
            c->read(c, x, v, first, tiles, 0, units);
        } else {
            /* All tiles' elements are still there when the next strips come. */
            if (blocks > 1 || from_strip == 0)
                c->read(c, x, v, first, tiles, (int)((int64_t)units * thread / threads), (int)((int64_t)units * (thread + 1) / threads));
            BARRIER
        }
        const int groups = (tiles + c->group - 1) / c->group;
        int chunks = (groups + c->chunk - 1) / c->chunk, unit = 0, end = strips * chunks;
        if (c->shared) {
            /* Smaller chunks only where strips alone would leave threads idle: each chunk reads the strip's weights again. */
            while (chunks < groups && strips * chunks * 10 < (strips * chunks + threads - 1) / threads * threads * 9) chunks++;
            unit = (int)((int64_t)strips * chunks * thread / threads);
            end = (int)((int64_t)strips * chunks * (thread + 1) / threads);
        }
        const int after = all - first - tiles < c->tiles ? all - first - tiles : c->tiles, fetches = c->fetches && i + 1 < to;
        winograd_ahead ahead;
        winograd_begin(c, &ahead, first + tiles, after, (int64_t)end * elements);
        for (; unit < end; unit++) {
            const int strip = from_strip + unit / chunks, chunk = unit % chunks, block = strip * c->strip;
            const int low = chunk * groups / chunks, high = (chunk + 1) * groups / chunks;
            const int width = c->blocks - block < c->strip ? c->blocks - block : c->strip; /* blocks of outputs */
            const int base = winograd_start(low, groups, tiles), count = winograd_start(high, groups, tiles) - base;
            struct { winograd_product *product; const float *v; float *m; } tile[@CHUNK@];
            for (int group = low; group < high; group++) {
                const int start = winograd_start(group, groups, tiles), size = winograd_start(group + 1, groups, tiles) - start;
                tile[group - low].product = winograd_product_of(size, width);
                tile[group - low].v = v + start * (ptrdiff_t)depth, tile[group - low].m = m + (start - base) * width * BLOCK;
            }
            const int lines = (BLOCK * width + high - low - 1) / (high - low);
            const float *u = weights + c->w + (strip - from_strip) * ((ptrdiff_t)elements * depth * c->strip * BLOCK);
            for (int f = 0; f < elements; f++, u += depth * width * BLOCK) {
                if (fetches) winograd_continue(c, &ahead, x);
                /* Each group fetches its share of the next element's weights: `lines` cache lines with each block of inputs. */
                const float *next = u + depth * width * BLOCK;
                for (int i = 0; i < high - low; i++, next += lines * depth)
                    tile[i].product(tile[i].v + f * c->v_plane, u, tile[i].m + f * c->m_plane, c->in_blocks, next, lines);
            }
            for (int group = low; group < high; group++) {
                const int start = winograd_start(group, groups, tiles), next = winograd_start(group + 1, groups, tiles);
                winograd_group g = {.products = m + (start - base) * width * BLOCK, .bias = weights + c->bias, .arena = arena};
                g.tile = first + start, g.tiles = next - start, g.following = base + count - next, g.begins = group == low;
                g.block = block, g.blocks = width;
                @BEGIN@
                c->write(c, &g);
                @END@
            }
        }
        if (c->shared && i + 1 < to) {
            BARRIER
        }
    }
    if (c->streams) STREAM_FENCE();
}
