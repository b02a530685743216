/** Hierarchical aggregates: counts and distinct users of windows, over a lattice of dimensions. */
package io.millrace.rollup;
