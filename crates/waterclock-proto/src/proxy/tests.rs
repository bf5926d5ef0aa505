//! Tests of the choice of a proxy.
