//! Feeds folders in the OCI image layout.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::layouts(data));
