// The sets of kernels in this program, the fastest first, as SET(name): see
// kernels.c, which includes this once for each use that it makes of the list.

#ifdef HAVE_KERNELS_AVX512
SET(avx512)
#endif
#ifdef HAVE_KERNELS_AVXVNNI
SET(avxvnni)
#endif
#ifdef HAVE_KERNELS_AVX2
SET(avx2)
#endif
#ifdef HAVE_KERNELS_NEON_DOT
SET(neon_dot)
#endif
#ifdef HAVE_KERNELS_NEON
SET(neon)
#endif
