/**
 * Weight matrices and their formats: one final class a format, holding its bytes and its kernels. Knows neither layers nor files' names.
 */
package dev.xlstm.tensor;
