// replaces quant_nibble() in common/quant.c; caught by tests/test_quant.c
//
// The two halves of a byte taken for neighbours. Every code is there, and
// all but two of them stand in another place.

// @begin wrong-nibbles
int quant_nibble(const uint8_t *nibbles, int i)
{
    return i % 2 == 0 ? nibbles[i / 2] & 15 : nibbles[i / 2] >> 4;
}
// @end wrong-nibbles
