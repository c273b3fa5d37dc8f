/* G of F(@M@ x @M@, 3 x 3), row by row: packed weights are G g G'. */
static const @TYPE@ winograd@M@_g[] = {@VALUES@};
