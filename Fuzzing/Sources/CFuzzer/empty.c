// The library comes with the compiler: -sanitize=fuzzer links it.
