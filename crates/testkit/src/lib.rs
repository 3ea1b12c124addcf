//! Test server, builders and the suites that need the whole product.
