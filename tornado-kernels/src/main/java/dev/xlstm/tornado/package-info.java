/**
 * The GPU backend: kernels written in Java and compiled for the device by TornadoVM. The only package that names its types.
 */
package dev.xlstm.tornado;
