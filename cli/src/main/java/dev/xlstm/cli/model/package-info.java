/** Commands about a model: inspect, quantize, devices, bench, tokenize, score. */
package dev.xlstm.cli.model;
