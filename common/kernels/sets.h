// The sets of kernels in this program beside the scalar one, the fastest
// first, as SET(name, chosen): see kernels.c, which includes this once for
// each use that it makes of the list. What is not chosen is there by its name
// only.

#ifdef HAVE_KERNELS_AVX512
SET(avx512, true)
#endif
#ifdef HAVE_KERNELS_AVXVNNI
SET(avxvnni, true)
#endif
#ifdef HAVE_KERNELS_AVX2
SET(avx2, true)
#endif
#ifdef HAVE_KERNELS_NEON_DOT
SET(neon_dot, true)
#endif
#ifdef HAVE_KERNELS_NEON
SET(neon, true)
#endif
#ifdef HAVE_KERNELS_AMX             // no machine of ours has run it
SET(amx, false)
#endif
#ifdef HAVE_KERNELS_PORTABLE        // to test the tiling with; it is slow
SET(portable, false)
#endif
