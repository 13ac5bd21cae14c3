package dev.xlstm.safetensors;

/**
 * Element types of the safetensors format, named as its headers name them; little-endian. The types below {@link #BOOL} are
 * read as bytes only: nothing computes with them.
 */
public enum DType {
    F64(64),
    F32(32),
    F16(16),
    BF16(16),
    I64(64),
    I32(32),
    I16(16),
    I8(8),
    U64(64),
    U32(32),
    U16(16),
    U8(8),
    BOOL(8),
    C64(64),
    F8_E4M3(8),
    F8_E5M2(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    F6_E2M3(6),
    F6_E3M2(6),
    F4(4);

    private final int bits;

    DType(int bits) {
        this.bits = bits;
    }

    /** Bits of one element. The elements of types below a byte are packed without gaps. */
    public int bitSize() {
        return bits;
    }

    /**
     * Bytes of one element.
     *
     * @throws UnsupportedOperationException for a type below a byte
     */
    public int byteSize() {
        if (bits < Byte.SIZE) {
            throw new UnsupportedOperationException(this + " has " + bits + " bits");
        }
        return bits / Byte.SIZE;
    }
}
